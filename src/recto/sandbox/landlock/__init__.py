"""Containment where there are no namespaces to be had, as in most containers: Landlock, a filter of calls, rlimits."""

from recto.sandbox.landlock.mechanism import Landlock

__all__ = ["Landlock"]
