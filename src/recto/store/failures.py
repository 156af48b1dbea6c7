"""Failures: why a spec could not be answered, kept for a while, so that it is not tried again with every request.

A failure counts from the moment it was stored until its time is over by the store's clock. One from the future does not
count, so that a clock that was set back makes none last longer; nor does one that says it lasts longer than any may.
Nothing is held while one is written or swept: who comes between the two loses a record, and somebody tries once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct

from recto.keys import SpecKey
from recto.store.layout import Layout
from recto.store.memory import Memory, look_through
from recto.store.records import Miss, Record, halve_records, read_record, records_in, sweep_records, write_record

# Nobody takes back a failure that nobody asks about again, so each ends by itself.
SECONDS_MAX = 7 * 86_400.0

# Each is some kB. Where this many lie, mostly of texts that were edited since, the older half goes.
FAILURES_MAX = 4096


class Failure(Struct, frozen=True):
    """What was stored, when, and until when it counts, in seconds since 1970, as seen at `now`."""

    value: Mapping[str, Any]
    since: float
    until: float
    now: float

    @property
    def counts(self) -> bool:
        """Whether it counts then; what is from the future does not, nor what says that it lasts longer than any may."""
        # In this form, so that what is not a number counts neither.
        return self.since <= self.now < self.until and self.until - self.since <= SECONDS_MAX

    @property
    def age_seconds(self) -> float:
        """How long ago it was stored."""
        return self.now - self.since

    @property
    def left_seconds(self) -> float:
        """How long it still counts."""
        return self.until - self.now


class Failures(Struct, frozen=True):
    """The failures of one store."""

    layout: Layout

    def get(self, key: SpecKey, now: float) -> Failure | Miss:
        """The failure of the spec, if it counts now."""
        try:
            return _counting(read_record(self.layout.failure(key)), now)
        except OSError as error:
            # Of no use, and no reason to answer nobody: whoever has to write here will hear of it.
            return Miss(f"it cannot be read: {error}")

    def put(self, key: SpecKey, value: Mapping[str, object], seconds: float, now: float) -> None:
        """Stores a failure that counts for so long, in place of what was there."""
        kept = {"until": now + min(seconds, SECONDS_MAX), "failure": value}
        write_record(self.layout.failure(key), kept, now, self.layout.staging)
        if len(records_in(self.layout.failures)) > FAILURES_MAX:
            self.sweep(now)
            halve_records(self.layout.failures, FAILURES_MAX)

    def clear(self, key: SpecKey) -> None:
        """Takes the failure of the spec away, if there is one."""
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self.layout.failure(key).unlink()

    def memory(self, now: float) -> Memory:
        """What the records say that lie here, those that do not count any more left out."""
        looked = look_through(self.layout.failures, lambda record: _failure(record, now))
        counting = [found.since for found in looked.found if found.counts]
        return Memory(len(counting), min(counting, default=None), looked.illegible)

    def sweep(self, now: float) -> None:
        """Deletes what does not count any more."""
        sweep_records(self.layout.failures, lambda record: not isinstance(_counting(record, now), Miss))


def _counting(record: Record | Miss, now: float) -> Failure | Miss:
    found = _failure(record, now)
    return Miss("it does not count any more") if isinstance(found, Failure) and not found.counts else found


def _failure(record: Record | Miss, now: float) -> Failure | Miss:
    match record:
        case Miss():
            return record
        case Record({"until": float() as until, "failure": dict() as value}, written_at):
            return Failure(value, written_at, until, now)
    return Miss("it is not a failure")
