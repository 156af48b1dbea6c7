"""The hosts of an index: its own, and those that its pages name. Asked once a day, and kept by its address."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from recto.caching import keep_json
from recto.sandbox.door.access import Access
from recto.sandbox.door.asking import page, trust
from recto.sandbox.door.destinations import Destination, of_authority, of_url
from recto.sandbox.door.pages import named_hosts
from recto.sandbox.door.upstream import upstreams
from recto.sandbox.refusal import refusal

# Whose page is asked for, until one is there: what every index that leads to others has.
_PROJECTS = ("pip", "setuptools", "packaging")
# A day: hosts change once in years, and an operator who changes them names them meanwhile.
_KEPT_SECONDS = 86_400
_VERSION = 1


def access(
    index_url: str,
    cache: Path,
    environment: Mapping[str, str],
    *,
    projects: Iterable[str] = _PROJECTS,
    further: Iterable[str] = (),
    clock: Callable[[], float] = time.time,
) -> Access:
    """Where builds over this index may go: its own host, what its pages name, and the operator's `further` hosts.

    `cache` is a directory in which the answer is kept for a day, and used for longer while the index does not answer.
    `projects` are names, in their normal form, whose pages are asked for until one is there. `further` are written
    `host` or `host:port`, or as addresses. Where nothing can be learned, only the operator's words count: a file that
    is elsewhere is then refused, which the door counts. Raises SandboxError where a word is not a host.
    """
    own = of_url(index_url)
    named = frozenset([*([own] if own else []), *(_further(text) for text in further)])
    if own is None:
        return Access(named)
    # Of the address without its credentials: nothing about a password is kept.
    plain = _plain(index_url)
    memory = cache / f"{hashlib.sha256(plain.encode()).hexdigest()[:32]}.json"
    kept, asked_at = _recalled(memory)
    now = clock()
    if kept is not None and 0 <= now - asked_at < _KEPT_SECONDS:
        return Access(named, kept)
    found = _asked(index_url, environment, projects)
    if found is not None:
        words = {"version": _VERSION, "asked": now, "hosts": [[*_words(one)] for one in sorted(found)]}
        # Where nothing can be kept, it is asked again.
        with suppress(OSError):
            keep_json(memory, words)
    return Access(named, (kept if found is None else found) or frozenset())


def _asked(index_url: str, environment: Mapping[str, str], projects: Iterable[str]) -> frozenset[Destination] | None:
    """What the first page that is there names, None where none is."""
    proxies = upstreams(environment)
    try:
        tls = trust(environment)
    except OSError as error:
        raise refusal(
            f"the certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` names cannot be read: {error}"
        ) from error
    for project in projects:
        try:
            found = page(f"{index_url.rstrip('/')}/{project}/", proxies, tls)
        except (OSError, HTTPException, ValueError):
            # An index that cannot be reached is not asked for the next page: each may take half a minute.
            return None
        hosts = found and named_hosts(found.body, found.kind, found.url)
        if hosts:
            return hosts
    return None


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _further(text: str) -> Destination:
    found = of_url(text) if "://" in text else of_authority(text, tls=True, default_port=443)
    if found is None:
        raise refusal(f"`{text}` is not a host; write `host`, `host:port` or an `http://` address")
    return found


def _words(destination: Destination) -> Iterator[str | int | bool]:
    yield from (destination.host, destination.port, destination.tls)


def _recalled(memory: Path) -> tuple[frozenset[Destination] | None, float]:
    """What was kept and when it was asked; None where there is nothing that can be read."""
    try:
        kept = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return None, 0.0
    match kept:
        case {"version": 1, "asked": int() | float() as asked, "hosts": list(hosts)}:
            found = [_destination(one) for one in hosts]
            if all(found):
                return frozenset(one for one in found if one), float(asked)
    return None, 0.0


def _destination(words: object) -> Destination | None:
    match words:
        case [str(host), int(port), bool(tls)]:
            text = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            return of_authority(text, tls=tls)
    return None
