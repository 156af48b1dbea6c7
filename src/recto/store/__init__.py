"""Keys to directories: records, environments, leases, mutexes, room and eviction. Knows no Python package."""

from __future__ import annotations

from recto.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from recto.store.accounting import Audit, Usage
    from recto.store.entries import Entry
    from recto.store.eviction import Pruned, Sweeper
    from recto.store.failpoints import FAILPOINTS, Failpoint, no_failpoint
    from recto.store.failures import Failure
    from recto.store.leases import Lease
    from recto.store.ledger import Options, Room
    from recto.store.mutex import Turn, Words
    from recto.store.records import Miss, Record, parse_record
    from recto.store.staging import Staging
    from recto.store.store import Seen, Store

__all__ = [
    "FAILPOINTS",
    "Audit",
    "Entry",
    "Failpoint",
    "Failure",
    "Lease",
    "Miss",
    "Options",
    "Pruned",
    "Record",
    "Room",
    "Seen",
    "Staging",
    "Store",
    "Sweeper",
    "Turn",
    "Usage",
    "Words",
    "no_failpoint",
    "parse_record",
]

# `recto run` uses `holds` alone.
__getattr__ = deferred(
    __name__,
    {
        "FAILPOINTS": "recto.store.failpoints",
        "Audit": "recto.store.accounting",
        "Entry": "recto.store.entries",
        "Failpoint": "recto.store.failpoints",
        "Failure": "recto.store.failures",
        "Lease": "recto.store.leases",
        "Miss": "recto.store.records",
        "Options": "recto.store.ledger",
        "Pruned": "recto.store.eviction",
        "Record": "recto.store.records",
        "Room": "recto.store.ledger",
        "Seen": "recto.store.store",
        "Staging": "recto.store.staging",
        "Store": "recto.store.store",
        "Sweeper": "recto.store.eviction",
        "Turn": "recto.store.mutex",
        "Usage": "recto.store.accounting",
        "Words": "recto.store.mutex",
        "no_failpoint": "recto.store.failpoints",
        "parse_record": "recto.store.records",
    },
)
