"""Environments: the verb of the product. A declaration and a grant go in, a leased environment comes out."""

from recto.environments.environments import Environments, Options, never
from recto.environments.model import Checked, Environment, Explanation, Footing, Update

__all__ = ["Checked", "Environment", "Environments", "Explanation", "Footing", "Options", "Update", "never"]
