"""Resolving: a declaration over a base to a lock, a plan, and what of the base the answer relies on."""

from recto.resolver.base import Request, Resolution, Resolver

__all__ = ["Request", "Resolution", "Resolver"]
