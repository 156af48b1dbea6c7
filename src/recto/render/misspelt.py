"""Module names that are a slip of the hand or the name of a package, and the edit of the document that mends them."""

from __future__ import annotations

import re
import sys

from msgspec import Struct

from recto.problems import Edit, Fix, Source
from recto.problems.modules import Near, certain_names, module_of, near_modules
from recto.render.declaring import from_place


class Meant(Struct, frozen=True):
    """What was meant by a name that is no module: `names` best first, `clear` where the first is the only one."""

    names: tuple[str, ...]
    clear: bool
    hint: str


def meant(module: str, importable: frozenset[str]) -> Meant | None:
    """What the name may stand for: a module that can be imported now, or one of the tables; None where none is near."""
    own = module_of(module)
    if own is not None and own.lower() != module.lower():
        return Meant((own,), True, f"`{module}` is the name of a package; what it provides is imported as `{own}`.")
    here = importable | sys.stdlib_module_names
    found = near_modules(module, here)
    if found.clear:
        return Meant(found.names, True, f"It may be a misspelling of `{found.names[0]}`, which is installed.")
    found = near_modules(module, here | certain_names())
    return _worded(found) if found.names else None


def respelt(word: str, name: str, source: Source | None, lines: list[str]) -> Fix | None:
    """The edit that writes the name for the word, where the word stands on that one line of the document alone."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)")
    here = from_place(lines, source)[:1]
    if source is None or source.line is None or sum(len(pattern.findall(line)) for line in lines) != 1:
        return None
    if not here or pattern.search(here[0]) is None:
        return None
    new = pattern.sub(lambda _: name, here[0])
    return Fix(f"Write {name} instead of {word}", (Edit(source.file, source.line, here[0], new),))


def _worded(found: Near) -> Meant:
    names = " or ".join(f"`{name}`" for name in found.names)
    return Meant(found.names, found.clear, f"It may be a misspelling of {names}.")
