"""A lock to an environment: installed over the base, compiled, proven."""

from recto.builder.base import Builder, Built, Order

__all__ = ["Builder", "Built", "Order"]
