"""A missing module, with what the project and the store know of it: the package to declare, and the edit.

From the surest to the least: a file of the project, a package that is declared or installed already, what the tables
say, a slip of the hand, what environments of the store show. What only the store shows can be a stranger's package, and
whoever makes one chooses its modules: where the tables have anything to say of the name, or have one near to it, that
is said first, the package is named behind it with where it was seen, and no edit is offered for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from recto.declaration.model import Declared
from recto.environments import Environment
from recto.environments.installed import Bringing
from recto.environments.providers import Providers
from recto.problems import Fix, Problem, Source
from recto.problems.modules import (
    OWN,
    Near,
    hint_for_module,
    known,
    near_modules,
    several,
    told_by_tables,
    traced,
    wanted,
)
from recto.render.declaring import Declaring, from_place
from recto.render.misspelt import meant, respelt
from recto.render.own_files import own_files

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SEPARATORS = re.compile(r"[-_.]+")


class Advice(Struct, frozen=True):
    """One way to come by a module: a sentence, and an edit where one is sure."""

    hint: str
    fix: Fix | None = None


class Missing(Struct, frozen=True):
    """Advises on modules that one render missed. `declaring` is about its document, `environment` is where it ran."""

    declaring: Declaring
    environment: Environment
    providers: Providers

    def advised(self, found: Problem) -> Problem:
        """The problem with a better hint and, where there is a sure one, a fix; others as they are."""
        if found.code != "missing-module" or found.package is None:
            return found
        import_ = _Import.at(found, self.declaring.lines(found.source), self.providers)
        steps = (self._own_file, self._declared, self._incomplete, self._tables, self._misspelt, self._store)
        advice = next((given for step in steps if (given := step(import_)) is not None), None)
        if advice is None:
            advice = Advice(hint_for_module(import_.module, self.declaring.sentence))
        return replace(found, hint=advice.hint, fix=advice.fix)

    def _own_file(self, import_: _Import) -> Advice | None:
        files = own_files(self.declaring.project.root, import_.top)
        if not files:
            return None
        beside = [file for file in files if PurePosixPath(file).parent == PurePosixPath(self.declaring.document).parent]
        if beside and "." in import_.module:
            hides = f"`{beside[0]}` is what `{import_.top}` means here, and it has no `{import_.module}`"
            return Advice(f"{hides}. Give that file another name if a package of this name was meant.")
        place = PurePosixPath(files[0]).parent
        where = "the root of the project" if str(place) == "." else f"`{place}`"
        move = "cells do not look there" if beside else "cells look beside the document: move it there, or"
        hint = (
            f"`{files[0]}` is a file of the project, and {move}{':' if beside else ''} add {where} to `sys.path` first."
        )
        names = known(import_.asked[0]).names
        return Advice(f"{hint} If a package was meant: {self.declaring.worded(names[0])}" if names else hint)

    def _declared(self, import_: _Import) -> Advice | None:
        names = {_normalised(name) for asked in import_.asked for name in known(asked).names}
        names |= set() if names else {_normalised(import_.top)}
        asked_for = [
            one for one in self.declaring.declaration.requirements if _normalised(one.requirement.name) in names
        ]
        return self._not_brought(asked_for, import_) if asked_for else None

    def _not_brought(self, asked_for: list[Declared], import_: _Import) -> Advice:
        """Why what is declared, on one line or several, did not bring the module."""
        markers = dict(self.providers.base.markers)
        holding = [one for one in asked_for if (m := one.requirement.marker) is None or m.evaluate(markers)]
        one = (holding or asked_for)[0]
        asks = f"`{one.source}` asks for `{one.requirement.name}`"
        if self.environment.origin == "base":
            return Advice(f"{asks}, but this render has only the packages of the base.")
        if not holding:
            return Advice(f"{asks} only where `{one.requirement.marker}`, which does not hold here.")
        return self._part(import_) or Advice(
            f"{asks}, which is installed and has no module `{import_.module}`; another version of it may have."
        )

    def _incomplete(self, import_: _Import) -> Advice | None:
        if "." not in import_.module:
            return None
        here = [one for one in self.providers.installed(import_.top, self.environment) if one.own]
        listed = {_normalised(name) for name in known(import_.asked[0]).names}
        if not here or (listed and here[0].name not in listed):
            return None
        has = f"`{import_.top}` comes with `{here[0].name}` {here[0].version}, which is installed"
        return self._part(import_) or Advice(
            f"{has} and has no module `{import_.module}`; another version of it may have."
        )

    def _part(self, import_: _Import) -> Advice | None:
        """A misspelt part of a package that is installed."""
        parent, _, part = import_.module.rpartition(".")
        found = near_modules(part, self.providers.parts(parent, self.environment)) if parent else Near()
        if not found.clear:
            return None
        name = f"{parent}.{found.names[0]}"
        fix = respelt(import_.module, name, import_.source, import_.document) if import_.written else None
        return Advice(f"It may be a misspelling of `{name}`, which is installed.", fix)

    def _tables(self, import_: _Import) -> Advice | None:
        # Of `from google.cloud import storage, b` what is known; the next render tells of the rest.
        found = [one for asked in import_.asked if (one := known(asked)).certain]
        if not found:
            return None
        names = tuple(dict.fromkeys(one.names[0] for one in found))
        others = {name for one in found for name in one.names}
        sentences = (hint_for_module(asked, self.declaring.sentence) for asked in import_.asked if known(asked).certain)
        hint = " ".join(dict.fromkeys(sentences))
        return Advice(hint + _aside((one for one in import_.recorded if one.own), others), self.declaring.fix(names))

    def _misspelt(self, import_: _Import) -> Advice | None:
        if not import_.written or self._told(import_):
            return None
        found = meant(import_.top, self.providers.importable(self.environment))
        if found is None:
            return None
        if not found.clear:
            return Advice(found.hint + _aside(import_.recorded))
        return Advice(found.hint, respelt(import_.top, found.names[0], import_.source, import_.document))

    def _store(self, import_: _Import) -> Advice | None:
        shown = import_.recorded
        if not shown:
            return None
        told = self._told(import_)
        if told:
            return Advice(told + _aside(shown, {name for asked in import_.asked for name in known(asked).names}))
        names = tuple(dict.fromkeys(one.name for one in shown))
        if len(names) == 1 and shown[0].own:
            hint = f"`{names[0]}` brings `{import_.top}` to another environment."
            return Advice(f"{hint} {self.declaring.worded(names[0])}", self.declaring.fix(names))
        share = "has" if len(names) == 1 else "have"
        return Advice(
            f"{several(names)} {share} parts or all of `{import_.top}`: declare the one that the code is for."
        )

    def _told(self, import_: _Import) -> str:
        """What the tables say of the import, empty where they do not know it."""
        return next((said for asked in import_.asked if (said := told_by_tables(asked, self.declaring.sentence))), "")


class _Import(Struct, frozen=True, dict=True):
    """An import that failed: `module` as Python names it, `asked` in full; `written` where the document has it."""

    module: str
    asked: tuple[str, ...]
    written: bool
    source: Source | None
    document: list[str]
    providers: Providers

    @classmethod
    def at(cls, found: Problem, document: list[str], providers: Providers) -> _Import:
        """The import of a problem, with what the line of the document asks for."""
        module = found.package or ""
        lines = from_place(document, found.source)
        asked = wanted(module, lines) if lines else ()
        in_full = asked or traced(module, found.excerpt) or (module,)
        return cls(module, in_full, bool(asked), found.source, document, providers)

    @property
    def top(self) -> str:
        """The first part of the name."""
        return self.module.split(".")[0]

    @cached_property
    def recorded(self) -> tuple[Bringing, ...]:
        """What environments of the store show, for the longest name of the import that they know."""
        if self.top in OWN:
            return ()
        shown = (self.providers.recorded(name) for name in self._names())
        return next((one for one in shown if one), ())

    def _names(self) -> Iterator[str]:
        for asked in self.asked:
            parts = asked.split(".")
            for length in range(len(parts), self.module.count("."), -1):
                yield ".".join(parts[:length])


def _aside(shown: Iterable[Bringing], told: Iterable[str] = ()) -> str:
    """The packages that other environments show, named behind what is surer; nothing for those that are told there."""
    others = {_normalised(name) for name in told}
    names = tuple(dict.fromkeys(one.name for one in shown if _normalised(one.name) not in others))
    if not names:
        return ""
    bring = "brings" if len(names) == 1 else "bring"
    return f" ({several(names)}, which other environments have, {bring} a module of this name too.)"


def _normalised(requirement: str) -> str:
    name = _NAME.match(requirement)
    return _SEPARATORS.sub("-", name[0] if name else requirement).lower()
