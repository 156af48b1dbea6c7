"""Accounting: counting what the store holds, where the ledger cannot say or is not to be believed.

A *count* trusts the manifests: it reads one small file of each environment and measures what environments share where
that is kept. 10,000 environments take seconds. An *audit* looks at every file, so it takes as long as `du` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from recto.store.entries import keys, own_bytes
from recto.store.layout import Layout
from recto.store.ledger import Options, free_bytes
from recto.store.trees import measure


class Usage(Struct, frozen=True):
    """Allocated bytes by bucket, each file with several links counted in the first bucket that has it."""

    environments: int
    buckets: Mapping[str, int]
    budget_bytes: int
    free_bytes: int

    @property
    def total_bytes(self) -> int:
        """All buckets together."""
        return sum(self.buckets.values())

    @property
    def counted_bytes(self) -> int:
        """What the ledger should say: all but what is being built, which is promised instead."""
        return self.total_bytes - self.buckets["staging"]


class Audit(Struct, frozen=True):
    """What is used, exactly, and what the ledger had said.

    `kept_bytes` is None where the ledger was a miss. `mended_bytes` were added to it, or taken from it where negative;
    what came or went during the audit is neither.
    """

    usage: Usage
    kept_bytes: int | None
    mended_bytes: int


def count(layout: Layout) -> int:
    """Bytes of the store: environments as their manifests say, without what they share, and the rest measured.

    What environments share is counted where it is kept, in the cache and the bytecode. Files that nothing but several
    environments have, because somebody emptied the cache by hand, are missing from it. Nobody may be deleting
    environments meanwhile.
    """
    kept = measure(path for bucket in (layout.base, layout.cache, layout.bytecode) for path in _content(bucket))
    return kept + sum(own_bytes(layout, key) for key in keys(layout)) + measure(_in_areas(layout.trash))


def usage(layout: Layout, options: Options) -> Usage:
    """What is used, exactly: every file is looked at, so it takes minutes for a full store."""
    seen = set[tuple[int, int]]()
    sources = {
        "base": _content(layout.base),
        "cache": _content(layout.cache),
        "bytecode": _content(layout.bytecode),
        "environments": _content(layout.environments),
        "staging": _in_areas(layout.staging),
        "trash": _in_areas(layout.trash),
    }
    buckets = {name: measure(paths, seen) for name, paths in sources.items()}
    return Usage(len(keys(layout)), buckets, options.budget_bytes, free_bytes(layout))


def _content(bucket: Path) -> Iterator[Path]:
    # Without the directory itself, which grows by a block now and then as names come, and never shrinks.
    yield from list(bucket.iterdir())


def _in_areas(bucket: Path) -> Iterator[Path]:
    # Without the areas, which are there for as long as somebody works in them.
    for area in _content(bucket):
        with suppress(FileNotFoundError, NotADirectoryError):
            yield from _content(area)
