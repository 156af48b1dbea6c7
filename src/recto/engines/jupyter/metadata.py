"""What the front matter says to the writers: authors, dates, bibliographies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from recto.engines.jupyter.document import Document
from recto.engines.jupyter.tree import Element, plain_text, words
from recto.sandbox.beneath import Beneath

# Kept from the templates: Quarto's meaning of these differs, or they would put files and programs into play.
_DROPPED = ("format", "execute", "jupyter", "python", "css", "template", "toc", "table-of-contents", "engine")

# The references of a large group have some ten megabytes.
_BYTES_MAX = 100_000_000


class Bibliography(Struct, frozen=True):
    """Copies of the project's files that citations are looked up in, and pandoc's options for them."""

    files: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document, directory: Path, project: Path, into: Path) -> Bibliography:
        """What `bibliography` and `csl` of the front matter name, as far as it is inside the project.

        Copies in `into`, since pandoc opens a name later than it is judged here, and shows what it cannot read.
        """
        found = _files(document.metadata.get("bibliography"), directory, project, into / "bibliography")
        if not found:
            return cls()
        style = _files(document.metadata.get("csl"), directory, project, into / "style")[:1]
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


def _files(value: object, directory: Path, project: Path, into: Path) -> tuple[Path, ...]:
    names = value if isinstance(value, list) else [value]
    found: list[Path] = []
    for name in names:
        if isinstance(name, str) and (data := _bytes(directory / name, project)) is not None:
            # pandoc tells the kind by the end of the name.
            found.append(into.with_name(f"{into.name}-{len(found) + 1}{Path(name).suffix}"))
            found[-1].write_bytes(data)
    return tuple(found)


def _bytes(path: Path, project: Path) -> bytes | None:
    try:
        with Beneath(project.resolve()) as opened:
            name = opened.followed(path)
            return None if name is None else opened.read(name, _BYTES_MAX)
    except OSError:
        return None
