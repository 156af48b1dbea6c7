"""What the front matter says to the writers: authors, dates, bibliographies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from recto.engines.jupyter.document import Document
from recto.engines.jupyter.tree import Element, plain_text, words
from recto.engines.jupyter.untrusted import inside

# Kept from the templates: Quarto's meaning of these differs, or they would put files and programs into play.
_DROPPED = ("format", "execute", "jupyter", "python", "css", "template", "toc", "table-of-contents", "engine")


class Bibliography(Struct, frozen=True):
    """The project's files that citations are looked up in, and pandoc's options for them."""

    files: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document, directory: Path, project: Path) -> Bibliography:
        """What `bibliography` and `csl` of the front matter name, as far as it is inside the project."""
        found = _files(document.metadata.get("bibliography"), directory, project)
        if not found:
            return cls()
        style = _files(document.metadata.get("csl"), directory, project)[:1]
        options = [*(f"--bibliography={path}" for path in found), *(f"--csl={path}" for path in style)]
        return cls((*found, *style), ("--citeproc", *options))


def citation_as_text(element: Element) -> list[Element] | None:
    """What the author wrote, where there is nothing to look it up in: `@name` may be no citation at all."""
    if element["t"] != "Cite":
        return None
    written: list[Element] = element["c"][1]
    return written


def prepared(meta: Mapping[str, Any], script: bytes, dates: Mapping[str, str]) -> dict[str, Any]:
    """pandoc's metadata with authors as plain names, the date of a word in `dates`, and `script` for a page's head."""
    kept = {key: value for key, value in meta.items() if key not in (*_DROPPED, "bibliography", "csl")}
    if "author" in kept:
        kept["author"] = {"t": "MetaList", "c": [name for author in _list(kept["author"]) if (name := _name(author))]}
    if date := dates.get(plain_text(kept.get("date", {}).get("c", ""))):
        kept["date"] = {"t": "MetaInlines", "c": words(date)}
    if script:
        html = f"<script>{script.decode('utf-8', 'replace')}</script>"
        kept["page-script"] = {"t": "MetaBlocks", "c": [{"t": "RawBlock", "c": ["html", html]}]}
    return kept


def _list(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(value["c"]) if value["t"] == "MetaList" else [value]


def _name(author: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The author's name; authors may be texts, or mappings with a `name`, which may be in parts itself."""
    if author["t"] != "MetaMap":
        return author
    parts = author["c"]
    for key in ("name", "literal"):
        if key in parts:
            return _name(parts[key])
    names = [parts[key]["c"] for key in ("given", "family") if key in parts and parts[key]["t"] == "MetaInlines"]
    inlines = [inline for name in names for inline in ([{"t": "Space"}, *name] if name is not names[0] else name)]
    return {"t": "MetaInlines", "c": inlines} if inlines else None


def _files(value: object, directory: Path, project: Path) -> tuple[Path, ...]:
    names = value if isinstance(value, list) else [value]
    found = (inside(directory / name, project) for name in names if isinstance(name, str))
    return tuple(path for path in found if path is not None and path.is_file())
