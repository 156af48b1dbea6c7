"""A project's page: the mapping that an index sent, and what rules see of it.

The mapping stays what it was (PEP 691, 700, 708, 740, 792 and what comes after them): it is filtered and given other
addresses, and keys that nobody here knows pass through.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin

import msgspec
from msgspec import Struct
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.index.base import File, Kind, Project

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PLAIN_HTML = "text/html"
_API_MAJOR = "1"
# What file systems hold, and what no path or header can be made of.
_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~-]{0,250}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")
# The objects of one file, measured.
_ENTRY_BYTES = 1000
_METADATA_KEYS = ("core-metadata", "dist-info-metadata")
# What is served of a file is the file and its metadata; a signature beside it is not.
_NOT_SERVED = "gpg-sig"
# What JSON that is none ends in; a ValueError where it is not UTF-8.
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class PageError(ValueError):
    """What an index sent is no page that can be understood; the message says why."""


class Entry(Struct, frozen=True):
    """One file of a page: what rules see, where its bytes are, and what the index said of it, as it was sent.

    `metadata_sha256` is that of its metadata file (PEP 658, 714), None where the index gives none.
    """

    file: File
    address: str
    page_url: str
    metadata_sha256: str | None
    raw: msgspec.Raw

    @property
    def url(self) -> str:
        """Where its bytes are. ValueError where the index gave no address that can be read."""
        return urljoin(self.page_url, self.address)


class Page(Struct, frozen=True):
    """The page of one project. `mapping` is all of it but its files; `digest` changes with everything that it says.

    `weight` is about what it takes in memory, in bytes: what was sent is kept as it is and not made into objects, which
    would take ten times as much.
    """

    project: Project
    mapping: Mapping[str, Any]
    entries: Mapping[str, Entry]
    digest: str
    weight: int


def read_page(body: bytes, kind: str, name: NormalizedName, url: str) -> Page:
    """The page of the project `name` that an index sent from `url`; raises PageError.

    `kind` is its media type. Files without a name or an address that can be used are left out.
    """
    if kind == JSON:
        sent = body
    elif kind in (HTML, PLAIN_HTML):
        sent = _from_html(body, name)
    else:
        raise PageError(f"the index sent `{kind[:80]}`, which is no page of PEP 503 or 691")
    try:
        whole = _WHOLE.decode(sent)
        _require_known(whole.get("meta"))
        files = msgspec.json.decode(whole.pop("files", b"null"), type=list[msgspec.Raw])
        mapping = {key: msgspec.json.decode(raw) for key, raw in whole.items()}
    except _UNREADABLE as error:
        raise PageError(f"the index sent JSON that is no page: {error}") from error
    if canonicalize_name(str(mapping.get("name"))) != name:
        raise PageError(f"the index sent the page of another project than `{name}`")
    entries = {one.file.filename: one for raw in files if (one := _entry(raw, name, url)) is not None}
    weight = len(sent) + _ENTRY_BYTES * len(entries)
    return Page(_project(mapping, name, entries), mapping, entries, hashlib.sha256(body).hexdigest(), weight)


def shown(
    page: Page,
    allowed: Callable[[Entry], bool],
    metadata: Callable[[str], str | None],
    prefix: str,
) -> dict[str, Any]:
    """The mapping of what is allowed, with addresses below `prefix`, a path that is relative to the page's own.

    `metadata` gives the sha256 of the metadata that is known of a wheel (by its sha256) though the index has none.
    """
    files: list[dict[str, Any]] = []
    gone: set[Version | None] = set()
    left: set[Version | None] = set()
    for entry in page.entries.values():
        if not allowed(entry):
            gone.add(entry.file.version)
            continue
        left.add(entry.file.version)
        digest = entry.file.sha256
        raw: dict[str, Any] = msgspec.json.decode(entry.raw)
        raw["url"] = f"{prefix}{digest}/{_quoted(entry.file.filename)}"
        # Metadata without a hash could not be verified.
        for key in (*_METADATA_KEYS, _NOT_SERVED):
            raw.pop(key, None)
        known = entry.metadata_sha256 or (metadata(digest) if digest and entry.file.kind == "wheel" else None)
        if known is not None:
            # pip before 24 and uv before 0.1 read the older name only (PEP 714).
            raw |= {key: {"sha256": known} for key in _METADATA_KEYS}
        files.append(raw)
    told = {**page.mapping, "files": files}
    if isinstance(versions := page.mapping.get("versions"), list):
        hidden = gone - left
        told["versions"] = [text for text in versions if version_of(str(text)) not in hidden]
    return told


def _quoted(filename: str) -> str:
    # Of what a name may be made of only these two are quoted, and few names have them (`quote` is a fifth of a page).
    return quote(filename) if "+" in filename or "!" in filename else filename


def version_of(text: str) -> Version | None:
    """The version that a text says, None where it says none (PEP 440)."""
    return _version(text)


@lru_cache(maxsize=20_000)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    # Also of one with more digits than Python reads as a number.
    except ValueError:
        return None


def _require_known(meta: bytes | None) -> None:
    match None if meta is None else msgspec.json.decode(meta):
        case {"api-version": str(version)}:
            if version.partition(".")[0] != _API_MAJOR:
                raise PageError(f"the index speaks version {version[:20]} of the interface, and only 1 is known")
        case _:
            raise PageError("the page does not say which version of the interface it is")


def _from_html(body: bytes, name: str) -> bytes:
    """The page as JSON."""
    from mousebender.simple import from_project_details_html

    try:
        return msgspec.json.encode(from_project_details_html(body.decode("utf-8"), name))
    except (ValueError, KeyError, IndexError, AssertionError, RecursionError) as error:
        raise PageError(f"the index sent HTML that cannot be read: {error}") from error


def _project(mapping: Mapping[str, Any], name: str, entries: Mapping[str, Entry]) -> Project:
    status, reason = "active", ""
    match mapping.get("project-status"):
        case {"status": str(status), **more}:
            reason = str(more.get("reason") or "")
    sizes = [entry.file.size for entry in entries.values()]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    return Project(name, status, reason, total)


class _Sent(Struct, rename="kebab"):
    """What is looked at of a file that an index describes."""

    filename: str
    url: str
    hashes: dict[str, str] = {}
    size: int | None = None
    upload_time: str | None = None
    yanked: bool | str | None = None
    core_metadata: bool | dict[str, str] | None = None
    dist_info_metadata: bool | dict[str, str] | None = None


_WHOLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SENT = msgspec.json.Decoder(_Sent)


def _entry(raw: msgspec.Raw, project: str, page_url: str) -> Entry | None:
    """A file of the page; None for one that is described in a way that cannot be understood or served."""
    try:
        sent = _SENT.decode(raw)
        # What is not looked at is passed over without being read, and has to be read when it is shown.
        msgspec.json.decode(raw)
    except _UNREADABLE:
        return None
    if not _FILENAME.fullmatch(sent.filename):
        return None
    kind, version = _named(sent.filename)
    file = File(
        project=project,
        filename=sent.filename,
        kind=kind,
        version=None if version is None else _version(version),
        sha256=_digest(sent.hashes),
        size=sent.size if sent.size is not None and sent.size >= 0 else None,
        uploaded=_moment(sent.upload_time),
        yanked=_yanked(sent.yanked),
    )
    return Entry(file, sent.url, page_url, _digest(sent.core_metadata) or _digest(sent.dist_info_metadata), raw)


def _digest(hashes: object) -> str | None:
    digest = hashes.get("sha256") if isinstance(hashes, dict) else None
    return digest.lower() if isinstance(digest, str) and _SHA256.fullmatch(digest.lower()) else None


def _named(filename: str) -> tuple[Kind, str | None]:
    """What kind of file it is by its name, and the text of its version (PEP 427, 625)."""
    if filename.endswith(".whl"):
        parts = filename.split("-")
        return "wheel", parts[1] if len(parts) in (5, 6) else None
    for end in _SDISTS:
        if filename.endswith(end):
            _, dash, version = filename.removesuffix(end).rpartition("-")
            return "sdist", version if dash else None
    return "other", None


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # PEP 700 wants UTC and a `Z`; without either it is taken for UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _yanked(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return "" if value else None
