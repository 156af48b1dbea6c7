"""Which formats a render writes: what was asked for, else what the document says, else HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recto.engines.jupyter.assembly import Target
from recto.problems import EngineError, Problem, Source, problem

ALIASES: dict[str, Target] = {
    "html": "html",
    "html5": "html",
    "docx": "docx",
    "word": "docx",
    "pdf": "pdf",
    "typst": "pdf",
}
KNOWN = "html, docx, pdf"


def formats(
    asked: Iterable[str], metadata: Mapping[str, object], file: str
) -> tuple[tuple[Target, ...], tuple[Problem, ...]]:
    """The formats to write, each once, and warnings for those of the document that cannot be written.

    Raises EngineError for an asked format that is not known, and where none of the document's own is.
    """
    wanted = tuple(asked)
    unknown = tuple(_unknown(name) for name in wanted if name not in ALIASES)
    if unknown:
        raise EngineError(unknown)
    if wanted:
        return _once(wanted), ()
    named = _named(metadata.get("format")) or ("html",)
    foreign = tuple(_unknown(name).at(Source(file, 1)) for name in named if name not in ALIASES)
    known = tuple(name for name in named if name in ALIASES)
    if not known:
        raise EngineError(foreign)
    return _once(known), tuple(found.as_warning() for found in foreign)


def _named(value: object) -> tuple[str, ...]:
    """The names under `format:`, which is a name, a list of names, or a mapping from names to options."""
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, (list, Mapping)) else ()


def _once(names: Iterable[str]) -> tuple[Target, ...]:
    return tuple(dict.fromkeys(ALIASES[name] for name in names))


def _unknown(name: str) -> Problem:
    return problem("format-unknown", engine="jupyter", format=name, formats=KNOWN)
