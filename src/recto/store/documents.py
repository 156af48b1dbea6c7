"""Documents: the environment that each was last rendered with, for as long as that environment is there.

One that was rendered with the base alone has no environment whose end would be the record's. So the number of records
is bounded, and the ones that changed longest ago go.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from recto.store.layout import Layout
from recto.store.memory import Memory, look_through
from recto.store.records import Miss, Record, halve_records, read_record, records_in, sweep_records, write_record

# Each takes a block of 4 kB on most file systems, so all of them 64 MB.
DOCUMENTS_MAX = 16_384


class Documents(Struct, frozen=True):
    """The documents of one store, by names that whoever renders them gives."""

    layout: Layout

    def get(self, name: str) -> Record | Miss:
        """What was stored for the document."""
        try:
            return read_record(self.layout.document(name))
        except OSError as error:
            # Of no use, and no reason to render nothing: whoever has to write here will hear of it.
            return Miss(f"it cannot be read: {error}")

    def put(self, name: str, environment: str | None, value: Mapping[str, object], now: float) -> None:
        """Stores a JSON object for the document and its environment, None for the base, in place of what was there."""
        kept = {"environment_key": environment, "value": value}
        write_record(self.layout.document(name), kept, now, self.layout.staging)
        if len(records_in(self.layout.documents)) > DOCUMENTS_MAX:
            self.sweep()
            halve_records(self.layout.documents, DOCUMENTS_MAX)

    def memory(self) -> Memory:
        """What the records say that lie here; one whose environment is gone counts until it is swept."""
        looked = look_through(self.layout.documents, _since)
        return Memory(len(looked.found), min(looked.found, default=None), looked.illegible)

    def sweep(self) -> None:
        """Deletes what is about environments that are gone."""
        sweep_records(self.layout.documents, self._stands)

    def _stands(self, record: Record | Miss) -> bool:
        match record:
            case Record({"environment_key": None, "value": dict()}):
                return True
            case Record({"environment_key": str() as key}):
                return (self.layout.environments / key.replace("/", "")).is_dir()
        return False


def _since(record: Record) -> float | Miss:
    match record.value:
        case {"environment_key": str() | None, "value": dict()}:
            return record.written_at
    return Miss("it is not about a document")
