"""Staging: a place to build an environment aside, and the one rename that publishes it.

    stage    staging/AREA made and held; the builder makes AREA/tree
    seal     tree weighed and made read-only
    write    our own files beside the packages
    publish  manifest written, then renamed to envs/KEY with a lease already on it

A process that dies before the rename leaves an area that nobody holds, which pruning clears; one that dies after it
leaves a whole environment. Not guaranteed: after a power failure the files of an environment published seconds before
may be short, the manifest too: nothing is brought to the disk, because bringing 20,000 files there takes seconds.
Where it never came to the disk it is built again.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from recto.keys import EnvironmentKey
from recto.problems import StoreError, problem
from recto.store.complaints import complaints
from recto.store.failpoints import Failpoint
from recto.store.holds import SHARED, claim_directory, hold, settle
from recto.store.layout import MANIFEST, Layout
from recto.store.leases import Lease, take
from recto.store.ledger import Ledger
from recto.store.records import write_object
from recto.store.trees import Weight, allocated, delete, seal

# How often publishing looks again at an environment of the same key that is just being evicted, each look taking up to
# 40 ms (see `holds`).
_TRIES = 50
_PAUSE_SECONDS = 0.01


class Staging:
    """The place for one build. `directory` does not exist yet, its parent does.

    `entered` says whether the ledger knows what came of it.
    """

    def __init__(
        self,
        layout: Layout,
        key: EnvironmentKey,
        area: Path,
        clock: Callable[[], float],
        failpoint: Failpoint,
        ledger: Ledger,
    ) -> None:
        self.directory = area / "tree"
        self.entered = False
        self._weight: Weight | None = None
        self._written_bytes = 0
        self._layout = layout
        self._key = key
        self._clock = clock
        self._failpoint = failpoint
        self._ledger = ledger

    def seal(self) -> Weight:
        """Makes the tree read-only and weighs it, the first time: nobody may write in `directory` from now on.

        Raises StoreError.
        """
        if self._weight is None:
            with complaints(self.directory):
                self._failpoint("staged")
                self._weight = seal(self.directory)
                self._failpoint("read-only")
        return self._weight

    def write(self, name: str, text: str) -> None:
        """Writes a file of ours at the top of the sealed tree; raises StoreError."""
        self.seal()
        with complaints(self.directory):
            self._written_bytes += self._write(name, lambda file: _write_all(file, text.encode("utf-8")))

    def publish(self, manifest: Mapping[str, object], shared_bytes: int = 0) -> Lease:
        """A lease on the environment, now sealed and published with this manifest.

        If another process has published the same key, that environment is leased and this one is left to be removed.
        `key`, `published_at`, `bytes` and `own_bytes` are added to the manifest (the last two without the manifest's
        own). `shared_bytes` are allocated bytes, of files and directories, that came new into the cache or the bytecode
        with this build: the store cannot see which of the files that it shares are new. Raises StoreError.
        """
        weight = self.seal()
        kept = {
            **manifest,
            "key": str(self._key),
            "published_at": self._clock(),
            "bytes": weight.bytes + self._written_bytes,
            "own_bytes": weight.own_bytes + self._written_bytes,
        }
        with complaints(self.directory):
            added = self._written_bytes + self._write(MANIFEST, lambda file: write_object(file, kept))
            self._failpoint("manifest-written")
            lease, ours = self._rename()
        try:
            if ours:
                self._failpoint("renamed")
                settle(lease.fileno(), self._clock())
                self._failpoint("settled")
            with complaints(self._layout.root):
                self._ledger.enter(added=shared_bytes + (weight.own_bytes + added if ours else 0))
            self.entered = True
            self._failpoint("counted")
        except BaseException:
            lease.close()
            raise
        return lease

    def _write(self, name: str, written: Callable[[int], None]) -> int:
        """The bytes that a file takes which `written` writes by its descriptor."""
        # Opened new and never through a link: the tree below was written by strangers.
        path = self.directory / name
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        try:
            written(descriptor)
            return allocated(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def _rename(self) -> tuple[Lease, bool]:
        path = self._layout.environment(self._key)
        for _ in range(_TRIES):
            # Held before it is visible, so that nobody can evict it in between.
            descriptor = hold(self.directory, SHARED, os.O_RDONLY | os.O_DIRECTORY)
            if descriptor is None:
                raise RuntimeError(f"somebody else holds the staged environment {self._key}")
            lease = Lease(self._key, path, descriptor)
            if _renamed(self.directory, path):
                return lease, True
            lease.close()
            theirs = take(self._key, path, self._clock())
            if isinstance(theirs, Lease):
                return theirs, False
            time.sleep(_PAUSE_SECONDS)
        raise StoreError(problem("environment-in-use", key=self._key))


@contextmanager
def stage(
    layout: Layout,
    key: EnvironmentKey,
    clock: Callable[[], float],
    failpoint: Failpoint,
    ledger: Ledger,
) -> Iterator[Staging]:
    """A staging area for the block; what is left in it is deleted."""
    with complaints(layout.staging):
        layout.make()
        area, descriptor = claim_directory(layout.staging, str(key))
    staging = Staging(layout, key, area, clock, failpoint, ledger)
    try:
        yield staging
    finally:
        if not staging.entered:
            ledger.forget()
        # What cannot be deleted now must not hide why the block ended; pruning tries again and reports it.
        with suppress(OSError):
            delete(area)
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)


def _renamed(directory: Path, path: Path) -> bool:
    try:
        directory.rename(path)
    except FileExistsError:
        return False
    except NotADirectoryError:
        # A file or a link, which no Recto put there: it must not keep the environment from being published.
        with suppress(FileNotFoundError, IsADirectoryError):
            path.unlink()
        return False
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            return False
        raise
    return True
