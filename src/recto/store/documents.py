"""Documents: the environment that each was last rendered with, for as long as that environment is there."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from recto.store.layout import Layout
from recto.store.records import Miss, Record, read_record, sweep_records, write_record


class Documents(Struct, frozen=True):
    """The documents of one store, by names that whoever renders them gives."""

    layout: Layout

    def get(self, name: str) -> Record | Miss:
        """What was stored for the document."""
        return read_record(self.layout.document(name))

    def put(self, name: str, environment: str, value: Mapping[str, object], now: float) -> None:
        """Stores a JSON object for the document and its environment, in place of what was there."""
        kept = {"environment_key": environment, "value": value}
        write_record(self.layout.document(name), kept, now, self.layout.staging)

    def sweep(self) -> None:
        """Deletes what is about environments that are gone."""
        sweep_records(self.layout.documents, self._stands)

    def _stands(self, record: Record | Miss) -> bool:
        match record:
            case Record({"environment_key": str() as key}):
                return (self.layout.environments / key.replace("/", "")).is_dir()
        return False
