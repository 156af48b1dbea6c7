"""The gateway: what its pages show, and which file may be had. It knows no HTTP of those who ask."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec import Struct
from packaging.utils import canonicalize_name, is_normalized_name

from recto.index.base import Decision, File, Rule
from recto.index.decision import decide
from recto.index.files import Files
from recto.index.page import Entry, Page, shown
from recto.index.pages import Found, Pages
from recto.index.upstream import Upstream, UpstreamError
from recto.index.weighed import Weighed

_SHOWN_BYTES_MAX = 16_000_000
# How long a page that was filtered stands: rules of age answer differently as time passes.
_SHOWN_SECONDS = 300.0
_NAME_MAX = 200


class Rulebook(Protocol):
    """The operator's rules for each tenant, as they are now."""

    @property
    def version(self) -> str:
        """What changes with every rule and with all that rules know."""
        ...

    def rules_for(self, tenant: str) -> tuple[Rule, ...]:
        """The rules of a tenant; those of everybody for one that has none of its own."""
        ...


class Hidden(Struct, frozen=True):
    """A file that the rules hide, and why."""

    filename: str
    decision: Decision


class Told(Struct, frozen=True):
    """A page as it is shown: its JSON and the sha256 of that, how many files are on it and how many hidden, and
    whether it is known to be current."""

    json: bytes
    sha256: str
    files: int
    hidden: int
    current: bool

    @property
    def there(self) -> bool:
        """Whether there is anything to show. What is hidden altogether is not there: uv takes any other answer than
        404 for the end of all."""
        return bool(self.files) or not self.hidden


class Offered(Struct, frozen=True):
    """A file of a page, where it is, the sha256 of its metadata there, whose it is, and the answer about it."""

    file: File
    url: str
    metadata_sha256: str | None
    upstream: Upstream
    decision: Decision


class _Kept(Struct):
    """A page that was filtered, at a moment, and what it was made from.

    `metadata` is how many of its wheels had known metadata when that of all wheels had changed `changes` times.
    """

    told: Told
    at: float
    state: tuple[str, str, bool]
    metadata: int
    changes: int


class Gateway:
    """Pages and files of the indexes above, as the rules of each tenant allow."""

    def __init__(self, pages: Pages, files: Files, rulebook: Rulebook, clock: Callable[[], float] = time.time) -> None:
        self.files = files
        self._pages = pages
        self._rulebook = rulebook
        self._clock = clock
        self._shown: Weighed[tuple[str, str], _Kept] = Weighed(_SHOWN_BYTES_MAX)

    async def page(self, tenant: str, name: str) -> Told | None:
        """The page of a project, None where no index has it; raises UpstreamError."""
        found = await self._found(name)
        if found is None:
            return None
        key, state = (tenant, found.page.project.name), (found.page.digest, self._rulebook.version, found.current)
        kept = self._shown.get(key)
        if kept is None or kept.state != state or not self._stands(kept, found.page):
            # All of this first: what comes meanwhile is then seen the next time.
            now, changes, metadata = self._clock(), self.files.metadata_changes, self._with_metadata(found.page)
            kept = _Kept(self._told(found, tenant), now, state, metadata, changes)
            self._shown.put(key, kept, len(kept.told.json))
        return kept.told

    async def file(self, tenant: str, name: str, sha256: str, filename: str) -> Offered | None:
        """A file of a project's page and the answer about it, None where the page has none; raises UpstreamError."""
        found = await self._found(name)
        entry = None if found is None else found.page.entries.get(filename)
        if found is None or entry is None or entry.file.sha256 != sha256:
            return None
        try:
            url = entry.url
        except ValueError as error:
            raise UpstreamError("the index names a file by an address that cannot be read") from error
        return Offered(
            entry.file,
            url,
            entry.metadata_sha256,
            found.upstream,
            decide(self._rulebook.rules_for(tenant), found.page.project, entry.file, self._now()),
        )

    async def why(self, tenant: str, name: str) -> list[Hidden] | None:
        """What the rules say of the files of a project, None where no index has it; raises UpstreamError."""
        found = await self._found(name)
        if found is None:
            return None
        rules, project, now = self._rulebook.rules_for(tenant), found.page.project, self._now()
        files = (entry.file for entry in found.page.entries.values())
        told = [Hidden(file.filename, decide(rules, project, file, now)) for file in files]
        return [hidden for hidden in told if hidden.decision.findings]

    def projects(self) -> list[str]:
        """The projects that were asked for so far."""
        return self._pages.names()

    async def close(self) -> None:
        """Ends what is under way."""
        await self._pages.close()
        await self.files.close()

    async def _found(self, name: str) -> Found | None:
        normal = canonicalize_name(name)
        if len(name) > _NAME_MAX or not is_normalized_name(normal):
            return None
        return await self._pages.get(normal)

    def _stands(self, kept: _Kept, page: Page) -> bool:
        """Whether the page would still be filtered to the same."""
        if not 0 <= self._clock() - kept.at < _SHOWN_SECONDS:
            return False
        changes = self.files.metadata_changes
        if changes != kept.changes:
            # A look at each of some thousand files, which is not for every request.
            if self._with_metadata(page) != kept.metadata:
                return False
            kept.changes = changes
        return True

    def _told(self, found: Found, tenant: str) -> Told:
        page, rules, hidden = found.page, self._rulebook.rules_for(tenant), 0
        now = self._now()

        def allowed(entry: Entry) -> bool:
            nonlocal hidden
            good = decide(rules, page.project, entry.file, now).allowed
            hidden += not good
            return good

        prefix = f"../../files/{page.project.name}/"
        mapping = shown(page, allowed, self.files.metadata_sha256, prefix)
        body = msgspec.json.encode(mapping)
        return Told(body, hashlib.sha256(body).hexdigest(), len(mapping["files"]), hidden, found.current)

    def _with_metadata(self, page: Page) -> int:
        """Of how many of its wheels the metadata is known here."""
        digests = (entry.file.sha256 for entry in page.entries.values())
        return sum(digest is not None and self.files.metadata_sha256(digest) is not None for digest in digests)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
