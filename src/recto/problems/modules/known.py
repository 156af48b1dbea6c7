"""What the tables know of a module."""

from __future__ import annotations

import re

from msgspec import Struct

from recto.problems.modules.different import AMBIGUOUS, DIFFERENT, UNBUILT
from recto.problems.modules.same import SAME
from recto.problems.modules.standard import BROUGHT_BACK

# `google.cloud.vision_v1p3beta1` is of the distribution of `google.cloud.vision`.
_API_VERSION = re.compile(r"_v\d+\w*$")
_SEPARATORS = re.compile(r"[-_.]+")


class Known(Struct, frozen=True):
    """Distributions that provide a module, as requirements; `certain` where the first of them is the one to add.

    What comes after a certain one is another build of the same code.
    """

    names: tuple[str, ...] = ()
    certain: bool = False


def known(module: str) -> Known:
    """What provides the module (dotted names included); nothing for a name that is not in the tables."""
    parts = [_API_VERSION.sub("", part) for part in module.strip().split(".")]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in DIFFERENT:
            return Known(tuple(DIFFERENT[name].split()), certain=True)
    top = parts[0]
    if top in SAME:
        return Known((top.replace("_", "-"),), certain=True)
    if top in BROUGHT_BACK:
        return Known((BROUGHT_BACK[top],), certain=True)
    if top in AMBIGUOUS:
        return Known(tuple(AMBIGUOUS[top].split()))
    return Known((UNBUILT[top],)) if top in UNBUILT else Known()


def namespaces(module: str) -> dict[str, str]:
    """What the tables know below a namespace that several distributions share: module → distribution."""
    return {name: DIFFERENT[name].split()[0] for name in DIFFERENT if name.startswith(f"{module.strip()}.")}


def certain_names() -> frozenset[str]:
    """The top-level names whose distribution is certain."""
    return SAME | frozenset(name for name in DIFFERENT if "." not in name)


def is_distribution(name: str) -> bool:
    """Whether a distribution of this name, in any spelling of it, is in the tables for certain."""
    wanted = _normalised(name)
    tables = (*SAME, *(value for values in DIFFERENT.values() for value in values.split()))
    return any(_normalised(value) == wanted for value in tables)


def module_of(distribution: str) -> str | None:
    """The module to import where somebody wrote the name of the distribution; None where it is the same or unknown."""
    wanted = _normalised(distribution)
    found = [name for name, value in DIFFERENT.items() if "." not in name and _normalised(value.split()[0]) == wanted]
    return found[0] if len(found) == 1 else None


def _normalised(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
