"""A project's page as HTML, for those who ask for it (PEP 503, 592, 629, 658, 714)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_PAGE = """<!DOCTYPE html>
<html>
<head><meta name="pypi:repository-version" content="{version}"><title>{title}</title></head>
<body>
<h1>{title}</h1>
{links}
</body>
</html>
"""


def project_html(mapping: Mapping[str, Any]) -> str:
    """The page of a project, from the mapping of its JSON page."""
    links = "\n".join(map(_link, mapping["files"]))
    return _page(f"Links for {mapping['name']}", links, mapping)


def projects_html(mapping: Mapping[str, Any]) -> str:
    """The list of projects, from the mapping of its JSON page."""
    names = (escape(project["name"]) for project in mapping["projects"])
    return _page("Simple index", "\n".join(f'<a href="{name}/">{name}</a><br>' for name in names), mapping)


def _page(title: str, links: str, mapping: Mapping[str, Any]) -> str:
    version = str(mapping["meta"]["api-version"])
    return _PAGE.format(title=escape(title), version=escape(version), links=links)


def _link(file: Mapping[str, Any]) -> str:
    words = "".join(f' {name}="{escape(value)}"' for name, value in _attributes(file))
    return f"<a{words}>{escape(file['filename'])}</a><br>"


def _attributes(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "href", f"{file['url']}#sha256={file['hashes']['sha256']}"
    if isinstance(requires := file.get("requires-python"), str):
        yield "data-requires-python", requires
    if yanked := file.get("yanked"):
        yield "data-yanked", yanked if isinstance(yanked, str) else ""
    for key in ("core-metadata", "dist-info-metadata"):
        match file.get(key):
            case {"sha256": str(digest)}:
                yield f"data-{key}", f"sha256={digest}"
