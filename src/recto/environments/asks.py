"""What was asked: one declaration over one base, with its keys."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Self

from msgspec import Struct

from recto.declaration.model import Declaration
from recto.interpreters import Base, check_python
from recto.keys import ContentPolicy, Ingredients, LineageKey, SpecKey, lineage_ingredients, spec_ingredients


class Ask(Struct, frozen=True):
    """One declaration over one base. `ingredients` are those of the spec key."""

    declaration: Declaration
    base: Base
    content: ContentPolicy
    ingredients: Ingredients
    spec: SpecKey

    @classmethod
    def of(cls, declaration: Declaration, base: Base, content: ContentPolicy) -> Self:
        """The ask; raises BaseError where the base does not have the Python that the declaration wants."""
        check_python(base, declaration.requires_python, declaration.requires_python_source)
        ingredients = spec_ingredients(declaration, base.identity, content)
        return cls(declaration, base, content, ingredients, SpecKey.of(ingredients))

    @property
    def lineage(self) -> LineageKey:
        """The key that stays when only the base's packages move."""
        return LineageKey.of(lineage_ingredients(self.declaration, self.base.identity, self.content))

    @property
    def wording(self) -> Hashable:
        """The spec key, and whatever else of the declaration an answer repeats: equal asks can have one answer.

        Two projects may ask for one spec on different lines, and each is to be told of its own.
        """
        declaration = self.declaration
        declared = (*declaration.requirements, *declaration.constraints)
        return (
            self.spec,
            tuple((str(entry.requirement), entry.source) for entry in declared),
            (declaration.requires_python_source, declaration.lock_source, declaration.sources),
            declaration.remarks,
        )
