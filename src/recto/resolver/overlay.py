"""Coherent overlays: what is put over the base must leave the base's own packages working, where that is possible.

Asking uv about every package of the base each time costs an index page for each of them. So the declaration is
resolved alone first; only base packages that the answer breaks, seen from their own metadata, are then asked for as
well, until nothing more breaks. The usual answer breaks nothing and takes one run.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from packaging.utils import NormalizedName

from recto.resolver.compiling import Answer, NoSolution
from recto.resolver.installed import Unmet, Versions

Names = frozenset[NormalizedName]
Ask = Callable[[Names], Answer | NoSolution]
Breaks = Callable[[Versions], tuple[Unmet, ...]]


class Overlay(Struct, frozen=True):
    """An answer over the base: `pulled` base packages were asked for with it, `unmet` could not be helped."""

    answer: Answer
    pulled: Names = frozenset()
    unmet: tuple[Unmet, ...] = ()


class Clash(Struct, frozen=True):
    """No answer leaves a protected package working: `unmet` is what breaks, `proof` why it cannot be helped."""

    unmet: Unmet
    proof: NoSolution


def coherent(ask: Ask, breaks: Breaks, protected: Names) -> Overlay | Clash | NoSolution:
    """The first answer found that breaks nothing protected and of the rest of the base no more than it must."""
    answer = ask(frozenset())
    if isinstance(answer, NoSolution):
        return answer
    pulled: Names = frozenset()
    hopeless: Names = frozenset()
    while True:
        unmet = breaks(answer.versions)
        broken = frozenset(one.name for one in unmet) - pulled - hopeless
        if not broken:
            return Overlay(answer, pulled, unmet)
        together = ask(pulled | broken)
        if isinstance(together, Answer):
            answer, pulled = together, pulled | broken
            continue
        # Some of them cannot be had: each that can be had alone is kept, what protects the render first.
        for name in sorted(broken, key=lambda name: (name not in protected, name)):
            alone = ask(pulled | {name}) if len(broken) > 1 else together
            if isinstance(alone, Answer):
                answer, pulled = alone, pulled | {name}
            elif name in protected:
                return Clash(next(one for one in unmet if one.name == name), alone)
            else:
                hopeless |= {name}
