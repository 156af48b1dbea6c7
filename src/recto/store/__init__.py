"""Keys to directories: records, environments, leases, mutexes, room and eviction. Knows no Python package."""

from recto.store.accounting import Audit, Usage
from recto.store.entries import Entry
from recto.store.eviction import Pruned, Sweeper
from recto.store.failpoints import FAILPOINTS, Failpoint, no_failpoint
from recto.store.leases import Lease
from recto.store.ledger import Options, Room
from recto.store.mutex import Turn, Words
from recto.store.records import Miss, Record
from recto.store.staging import Staging
from recto.store.store import Store

__all__ = [
    "FAILPOINTS",
    "Audit",
    "Entry",
    "Failpoint",
    "Lease",
    "Miss",
    "Options",
    "Pruned",
    "Record",
    "Room",
    "Staging",
    "Store",
    "Sweeper",
    "Turn",
    "Usage",
    "Words",
    "no_failpoint",
]
