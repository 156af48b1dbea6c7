"""Where everything lies below the data directory.

    DATA/v1/
      README                  what this is, for whoever finds it
      specs/KEY.json          what became of a spec: record
      resolutions/KEY.json    the whole answer to a spec: record
      lineages/KEY.json       the last answer for a lineage: record
      failures/KEY.json       why a spec could not be answered, and until when that counts: record
      documents/NAME.json     the environment, or the base, that a document was last rendered with: record
      envs/KEY/               one environment, read-only; its modification time is when it was last used
      envs/KEY/recto.json     its manifest
      pins/KEY                empty; there while the environment is pinned
      unfinished/KEY          what the environment still lacks: record; KEY.failed where that could not be made
      ledger.json             bytes used
      locks/NAME              there while somebody holds or wants the mutex; what its holder said last: one JSON object
      locks/NAME@waiting      empty; held by those who wait for the mutex
      reservations/BYTES-*    empty; counts while a living process holds it
      staging/AREA/tree/      an environment being built; AREA is held by its builder
      staging/record-*        a record being written; held by its writer
      trash/AREA/KEY/         an environment being deleted; AREA is held by its deleter
      bytecode/ cache/ base/  of other rooms; the store measures them and calls their sweepers
      audit/                  the audit log of the gateway, which is neither measured nor pruned here

`v1` changes when the meaning of any of this does, so that two releases on one data directory never misread each other.
What nobody holds in `locks`, `reservations`, `staging` and `trash` was left by a process that died; pruning clears it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

if TYPE_CHECKING:
    from recto.keys import EnvironmentKey, LineageKey, SpecKey

VERSION = "v1"
MANIFEST = "recto.json"

README = """\
This directory belongs to Recto. It holds Python environments that documents are rendered with.

Do not change anything below `envs`: environments are shared and read-only. To free space, run `recto env prune`;
to see what is here, `recto env list`. While no Recto process runs, the whole directory may be deleted: everything in
it can be built again, but for `audit`, the record of what the gateway handed out.
"""


class Layout(Struct, frozen=True):
    """The paths of one store; `root` is `DATA/v1`."""

    root: Path

    @classmethod
    def of(cls, data: Path) -> Self:
        """The paths of the store in a data directory."""
        return cls(data / VERSION)

    @property
    def environments(self) -> Path:
        """Published environments."""
        return self.root / "envs"

    @property
    def pins(self) -> Path:
        """One empty file for each pinned environment."""
        return self.root / "pins"

    @property
    def locks(self) -> Path:
        """The files of mutexes."""
        return self.root / "locks"

    @property
    def reservations(self) -> Path:
        """Bytes promised to builds."""
        return self.root / "reservations"

    @property
    def staging(self) -> Path:
        """What is being made."""
        return self.root / "staging"

    @property
    def trash(self) -> Path:
        """What is being deleted."""
        return self.root / "trash"

    @property
    def ledger(self) -> Path:
        """The running count of bytes; there unless it is to be counted anew."""
        return self.root / "ledger.json"

    @property
    def bytecode(self) -> Path:
        """Compiled files, kept once for each distribution."""
        return self.root / "bytecode"

    @property
    def cache(self) -> Path:
        """The installer's cache of wheels."""
        return self.root / "cache"

    @property
    def base(self) -> Path:
        """The base that Recto makes for itself where none is given."""
        return self.root / "base"

    @property
    def audit(self) -> Path:
        """The audit log of the gateway; made with its first entry."""
        return self.root / "audit"

    def spec(self, key: SpecKey) -> Path:
        """The record of a spec."""
        return self.root / "specs" / f"{key}.json"

    def resolution(self, key: SpecKey) -> Path:
        """The record of the whole answer to a spec."""
        return self.root / "resolutions" / f"{key}.json"

    def lineage(self, key: LineageKey) -> Path:
        """The record of a lineage."""
        return self.root / "lineages" / f"{key}.json"

    @property
    def failures(self) -> Path:
        """Why specs could not be answered; made with the first that could not."""
        return self.root / "failures"

    def failure(self, key: SpecKey) -> Path:
        """The record of the failure of a spec."""
        return self.failures / f"{key}.json"

    @property
    def documents(self) -> Path:
        """What documents were last rendered with."""
        return self.root / "documents"

    def document(self, name: str) -> Path:
        """The record of a document."""
        return self.documents / f"{name}.json"

    def environment(self, key: EnvironmentKey) -> Path:
        """The directory of an environment, published or not."""
        return self.environments / str(key)

    def pin(self, key: EnvironmentKey) -> Path:
        """The pin of an environment."""
        return self.pins / str(key)

    @property
    def unfinished(self) -> Path:
        """What environments still lack."""
        return self.root / "unfinished"

    def make(self) -> None:
        """Makes every directory, and the README; OSError where that is impossible."""
        records = (self.root / "specs", self.root / "resolutions", self.root / "lineages")
        work = (self.locks, self.reservations, self.staging, self.trash)
        for directory in (
            *records,
            *work,
            self.environments,
            self.pins,
            self.unfinished,
            self.bytecode,
            self.cache,
            self.base,
        ):
            directory.mkdir(parents=True, exist_ok=True)
        readme = self.root / "README"
        if not readme.exists():
            readme.write_text(README, encoding="utf-8")
