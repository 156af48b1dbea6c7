"""A lock to an environment: installed over the base, compiled, proven."""

from recto.builder.base import Builder, Built, Order
from recto.builder.curated import BaseBuilder
from recto.builder.uv_builder import FAILPOINTS, UvBuilder

__all__ = ["FAILPOINTS", "BaseBuilder", "Builder", "Built", "Order", "UvBuilder"]
