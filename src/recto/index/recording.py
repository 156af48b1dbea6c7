"""What the gateway did, for the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from recto.index.audit import Audit, Entry, Verdict
from recto.index.base import Decision


class Recording:
    """The entry of one request, written when its answer is known and before anything of that is sent.

    Everything that is written raises StoreError where it cannot be.
    """

    def __init__(self, audit: Audit, tenant: str, package: str, client: str, clock: Callable[[], float]) -> None:
        self._audit = audit
        self._clock = clock
        self._entry = Entry(
            when=self._now(),
            verdict="failed",
            tenant=tenant,
            package=package,
            client=client,
            request=secrets.token_hex(6),
        )

    def about(self, file: str, sha256: str, size: int | None) -> None:
        """It is about a file."""
        self._entry = replace(self._entry, file=file, sha256=sha256, bytes=size)

    def served(self, decision: Decision | None = None) -> None:
        """It is handed out, in spite of what the rules warn of."""
        self._write("served", decision)

    def hidden(self, decision: Decision | None = None) -> None:
        """The rules speak against it."""
        self._write("hidden", decision)

    def failed(self, reason: str) -> None:
        """The index has none, or did not play its part."""
        self._write("failed", None, reason)

    def _write(self, verdict: Verdict, decision: Decision | None, reason: str = "") -> None:
        findings = () if decision is None else decision.findings
        # What blocks comes first, so that the rule that is named is the one that hides.
        first = next((one for one in findings if one.blocks), findings[0] if findings else None)
        rule = "" if first is None else first.rule
        entry = replace(
            self._entry,
            when=self._now(),
            verdict=verdict,
            rule=rule,
            reason=reason or ("" if first is None else first.reason),
        )
        self._audit.record(entry)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
