"""The gateway: what its pages show, and which file may be had. It knows no HTTP of those who ask."""

from __future__ import annotations

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
    """A page as it is shown: its JSON, how many files are on it and how many hidden, and whether it is known to be
    current."""

    json: bytes
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


class Gateway:
    """Pages and files of the indexes above, as the rules of each tenant allow."""

    def __init__(self, pages: Pages, files: Files, rulebook: Rulebook, clock: Callable[[], float] = time.time) -> None:
        self.files = files
        self._pages = pages
        self._rulebook = rulebook
        self._clock = clock
        self._shown: Weighed[tuple[str, str], tuple[object, float, Told]] = Weighed(_SHOWN_BYTES_MAX)

    async def page(self, tenant: str, name: str) -> Told | None:
        """The page of a project, None where no index has it; raises UpstreamError."""
        found = await self._found(name)
        if found is None:
            return None
        now, key = self._clock(), (tenant, found.page.project.name)
        state = (found.page.digest, self._rulebook.version, found.current, self._with_metadata(found.page))
        kept = self._shown.get(key)
        if kept is None or kept[0] != state or not 0 <= now - kept[1] < _SHOWN_SECONDS:
            kept = (state, now, self._told(found, tenant))
            self._shown.put(key, kept, len(kept[2].json))
        return kept[2]

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
            self._decide(found.page, entry, self._rulebook.rules_for(tenant)),
        )

    async def why(self, tenant: str, name: str) -> list[Hidden] | None:
        """What the rules say of the files of a project, None where no index has it; raises UpstreamError."""
        found = await self._found(name)
        if found is None:
            return None
        rules = self._rulebook.rules_for(tenant)
        told = [
            Hidden(entry.file.filename, self._decide(found.page, entry, rules)) for entry in found.page.entries.values()
        ]
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

    def _told(self, found: Found, tenant: str) -> Told:
        page, rules, hidden = found.page, self._rulebook.rules_for(tenant), 0

        def allowed(entry: Entry) -> bool:
            nonlocal hidden
            good = self._decide(page, entry, rules).allowed
            hidden += not good
            return good

        prefix = f"../../files/{page.project.name}/"
        mapping = shown(page, allowed, self.files.metadata_sha256, prefix)
        return Told(msgspec.json.encode(mapping), len(mapping["files"]), hidden, found.current)

    def _with_metadata(self, page: Page) -> int:
        """Of how many of its wheels the metadata is known here."""
        digests = (entry.file.sha256 for entry in page.entries.values())
        return sum(digest is not None and self.files.metadata_sha256(digest) is not None for digest in digests)

    def _decide(self, page: Page, entry: Entry, rules: tuple[Rule, ...]) -> Decision:
        return decide(rules, page.project, entry.file, datetime.fromtimestamp(self._clock(), UTC))
