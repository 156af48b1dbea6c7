"""One thing that went wrong, for people: the value that every failure ends in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from msgspec import Struct
from msgspec.structs import replace

Level = Literal["error", "warning", "info"]


class Source(Struct, frozen=True):
    """Where in the project: `file` is a path relative to it with `/`, `line` counts from 1 or is None for all of it."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def to_json(self) -> dict[str, object]:
        """The `source` object of the problem contract."""
        return {"file": self.file, "line": self.line}


class Edit(Struct, frozen=True):
    """One line to change: `old` None inserts `new` before `line`, `new` None deletes the line; lines count from 1."""

    file: str
    line: int
    old: str | None
    new: str | None

    def to_json(self) -> dict[str, object]:
        """One entry of `fix.edits` in the problem contract."""
        return {"file": self.file, "line": self.line, "old": self.old, "new": self.new}


class Fix(Struct, frozen=True):
    """Edits that mend a problem, under a title that can stand on a button."""

    title: str
    edits: tuple[Edit, ...]

    def to_json(self) -> dict[str, object]:
        """The `fix` object of the problem contract."""
        return {"title": self.title, "edits": [edit.to_json() for edit in self.edits]}


class Problem(Struct, frozen=True):
    """A code of the catalogue with the words for this case; `package` is named as the tool or the author named it."""

    code: str
    level: Level
    message: str
    hint: str = ""
    package: str | None = None
    source: Source | None = None
    excerpt: str = ""
    fix: Fix | None = None

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else ""
        return f"{where}{self.message}"

    def at(self, source: Source | None) -> Self:
        """The same problem, placed at `source`."""
        return replace(self, source=source)

    def as_warning(self) -> Self:
        """The same problem where it stops nothing."""
        return replace(self, level="warning")

    def to_json(self) -> dict[str, object]:
        """The problem contract's JSON object; every key is always there."""
        return {
            "code": self.code,
            "level": self.level,
            "message": self.message,
            "hint": self.hint,
            "package": self.package,
            "source": self.source.to_json() if self.source else None,
            "excerpt": self.excerpt,
            "fix": self.fix.to_json() if self.fix else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """The problem that `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        level = value["level"]
        if level not in ("error", "warning", "info"):
            raise ValueError(f"no such level: {level!r}")
        package = value["package"]
        return cls(
            code=str(value["code"]),
            level=level,
            message=str(value["message"]),
            hint=str(value["hint"]),
            package=None if package is None else str(package),
            source=_source(value["source"]),
            excerpt=str(value["excerpt"]),
            fix=_fix(value["fix"]),
        )


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _line(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected a line number, got {type(value).__name__}")
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _source(value: object) -> Source | None:
    if value is None:
        return None
    fields = _mapping(value)
    return Source(str(fields["file"]), None if fields["line"] is None else _line(fields["line"]))


def _fix(value: object) -> Fix | None:
    if value is None:
        return None
    fields = _mapping(value)
    edits = fields["edits"]
    if not isinstance(edits, list):
        raise TypeError("`edits` is not a list")
    entries = [_mapping(edit) for edit in edits]
    return Fix(
        str(fields["title"]),
        tuple(Edit(str(e["file"]), _line(e["line"]), _text(e["old"]), _text(e["new"])) for e in entries),
    )
