"""The hosts that a page of an index names: where its files are."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import urljoin

from recto.sandbox.door.destinations import Destination, of_url

# As the specification of the simple API asks for them (PEP 691).
ACCEPTED = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

# An index has its files at one host, or at a few; a page that names more has something else in mind.
_HOSTS_MAX = 16


def named_hosts(body: bytes, kind: str, url: str) -> frozenset[Destination]:
    """Where the files of a page are, the page's own host among them; `kind` is its content type, `url` its address.

    At most 16 hosts. A page that came by TLS names no files that come without.
    """
    own = of_url(url)
    found: dict[Destination, None] = {}
    for address in _addresses(body, kind, url):
        destination = of_url(address)
        if destination is not None and (destination.tls or own is None or not own.tls):
            found[destination] = None
    return frozenset(list(found)[:_HOSTS_MAX])


def _addresses(body: bytes, kind: str, url: str) -> list[str]:
    named = _of_json(body) if kind.partition(";")[0].strip().endswith("json") else _of_html(body)
    base, *files = named
    whole = []
    for file in files:
        try:
            whole.append(urljoin(urljoin(url, base), file))
        except ValueError:
            # Not an address, such as one with half a bracket.
            continue
    return whole


def _of_json(body: bytes) -> list[str]:
    """No base, and the addresses of the files; nothing else where it is not a page."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return [""]
    files = page.get("files") if isinstance(page, dict) else None
    entries = [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
    return ["", *(entry["url"] for entry in entries if isinstance(entry.get("url"), str))]


def _of_html(body: bytes) -> list[str]:
    """The base that the page gives, if any, and the addresses of its links (PEP 503)."""
    links = _Links()
    links.feed(body.decode("utf-8", "replace"))
    return [links.base, *links.files]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.files: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if address and tag == "a":
            self.files.append(address)
        elif address and tag == "base" and not self.base:
            self.base = address
