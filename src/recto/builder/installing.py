"""What is ordered, into an environment: wheels by the installer, bytecode by links, everything looked at once.

A wheel that was met before is installed without a network, and its compiled files are linked in. What the installer's
cache gives is compared with the wheel's inventory; a file that was cut short or changed there is a miss: what the
cache has of that wheel goes, and the wheel is fetched again.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recto.aside import Aside
from recto.builder.base import Order
from recto.builder.bytecode import Bytecode, BytecodeKey, Compiled
from recto.builder.bytecode.linking import Damaged, link, make_places
from recto.builder.commands import Commands
from recto.builder.inventory import Inventory, as_recorded, metadata_directories, take_inventory
from recto.builder.layer import site_packages
from recto.builder.uv import Uv, chosen, wheels_of
from recto.builder.wheels import forget_wheel
from recto.problems import BuildError
from recto.progress import Progress

# Scripts, activation, records: what an environment has beside its wheels' files stays far below this.
_UNLISTED_BYTES = 4_000_000


class Installed(Struct, frozen=True):
    """What was installed.

    `bytes` are the lengths of all files. `unfinished` are distributions whose bytecode was not there to be linked.
    `new_bytes` are allocated bytes that came into the installer's cache with this.
    """

    inventories: Mapping[str, Inventory]
    bytes: int
    unfinished: Mapping[str, BytecodeKey]
    new_bytes: int = 0


class Installer:
    """Installs with one uv and its cache, and with the bytecode that is kept."""

    def __init__(self, uv: Uv, cache: Path, bytecode: Bytecode) -> None:
        self._uv = uv
        self._cache = cache
        self._bytecode = bytecode

    def install(
        self, order: Order, directory: Path, commands: Commands, progress: Progress, prepare: Callable[[], None]
    ) -> Installed:
        """What is ordered, in the empty environment that `prepare` makes at `directory`.

        Raises BuildError, Cancelled.
        """
        wheels = wheels_of(chosen(order), order.base)
        keys = {name: BytecodeKey.of(wheel, order.base) for name, wheel in wheels.items()}
        with Aside(lambda: self._kept(keys)) as reading:
            prepare()
        met, compiled = reading.result()
        # Beside uv, which waits for the disk: links of both into the same new directories do not meet.
        with Aside(lambda: self._linked(keys, compiled, directory, commands)) as linking:
            known, new, spoiled = self._fetched(order, keys, met, directory, commands, progress)
        missing, linked = linking.result()
        if spoiled:
            commands.note(f"Fetched again, as their cached files were not what they had been: {', '.join(spoiled)}.")
            shutil.rmtree(directory)
            prepare()
            # What is suspect still is as its author made it: the sizes in RECORD were wrong from the start.
            met, compiled = self._kept(keys)
            known, new, _ = self._fetched(order, keys, met, directory, commands, progress)
            missing, linked = self._linked(keys, compiled, directory, commands)
        unfinished = self._unfinished(missing, keys, {**known, **new}, directory)
        length = linked + sum(one.bytes for one in (*known.values(), *new.values()))
        if new:
            silent = tree_bytes(directory) - length
            length += silent
            # Whoever leaves files out of RECORD has them counted at every later install, to be on the safe side.
            added = silent if silent > _UNLISTED_BYTES else 0
            new = {name: replace(one, bytes=one.bytes + added) for name, one in new.items()}
            for name, inventory in new.items():
                self._bytecode.keep_inventory(keys[name], inventory)
        return Installed({**known, **new}, length, unfinished, sum(one.linked_bytes for one in new.values()))

    def _kept(self, keys: Mapping[str, BytecodeKey]) -> tuple[dict[str, Inventory], dict[str, Compiled]]:
        """The inventories of wheels met before and what of them is compiled, by name."""
        met = {name: self._bytecode.inventory(key) for name, key in keys.items()}
        compiled = {name: self._bytecode.compiled(key) for name, key in keys.items()}
        return (
            {name: inventory for name, inventory in met.items() if inventory is not None},
            {name: files for name, files in compiled.items() if files is not None},
        )

    def _fetched(
        self,
        order: Order,
        keys: Mapping[str, BytecodeKey],
        met: Mapping[str, Inventory],
        directory: Path,
        commands: Commands,
        progress: Progress,
    ) -> tuple[dict[str, Inventory], dict[str, Inventory], tuple[str, ...]]:
        """Installs; the inventories of wheels met before, those of new ones, and the names of spoiled wheels.

        What the cache has of spoiled wheels is gone then.
        """
        known = dict(met)
        self._install(order, known.keys(), directory, commands, progress)
        place = site_packages(directory)
        infos = metadata_directories(place)
        lost = keys.keys() - infos.keys()
        spoiled = set(lost)
        for name in known.keys() - lost:
            changed = known[name].changed(place)
            if changed:
                # Unpacked anew it has other times: then the hashes of RECORD hold, and its inventory is taken again.
                del known[name]
                spoiled |= set() if as_recorded(place, infos[name], changed) else {name}
        new = {name: take_inventory(place, infos[name]) for name in keys.keys() - known.keys() - lost}
        spoiled |= {name for name, inventory in new.items() if inventory.suspect}
        for name in spoiled:
            self._bytecode.forget_inventory(keys[name])
            forget_wheel(self._cache, name)
        return known, new, tuple(sorted(spoiled))

    def _install(
        self,
        order: Order,
        known: Collection[str],
        directory: Path,
        commands: Commands,
        progress: Progress,
    ) -> None:
        """Installs wheels met before from the cache, without a network, and the others from the index.

        To ask the index about a wheel that is there can cost more than to fetch it: where the index gives files no
        validators, uv does fetch it again (seen with 0.13.9).
        """
        theirs = tuple(name for name in order.install if name not in order.built)
        old = tuple(name for name in theirs if name in known or order.offline)
        new = tuple(name for name in theirs if name not in old)
        if new:
            self._uv.install(replace(order, install=new), directory, commands, progress)
        if old:
            self._install_known(order, old, directory, commands, progress)
        if order.built:
            self._uv.install_built(chosen(replace(order, install=order.built)), directory, commands)

    def _install_known(
        self, order: Order, old: tuple[str, ...], directory: Path, commands: Commands, progress: Progress
    ) -> None:
        try:
            self._uv.install(replace(order, install=old, offline=True), directory, commands, progress)
        except BuildError:
            if order.offline:
                raise
            # Not all of it is there any more, or it cannot be read: the index gives it, or uv says what is wrong.
            commands.note("The cache has lost some of these wheels; they are fetched from the index.")
            self._uv.install(replace(order, install=old), directory, commands, progress)

    def _linked(
        self, keys: Mapping[str, BytecodeKey], kept: Mapping[str, Compiled], directory: Path, commands: Commands
    ) -> tuple[list[str], int]:
        """Links what bytecode is kept; the distributions of which none is, and the lengths of linked files."""
        place = site_packages(directory)
        missing: list[str] = []
        copied = length = 0
        for name, key in keys.items():
            compiled = kept.get(name)
            try:
                if compiled is not None:
                    copied += link(compiled, place)
                    length += sum(file.size for file in compiled.files)
                    continue
            except Damaged:
                self._bytecode.drop(key)
            missing.append(name)
        if copied:
            commands.note(f"{copied} compiled files were copied: they cannot be linked here.")
        return missing, length

    def _unfinished(
        self,
        missing: Iterable[str],
        keys: Mapping[str, BytecodeKey],
        inventories: Mapping[str, Inventory],
        directory: Path,
    ) -> dict[str, BytecodeKey]:
        """Those of the distributions that have sources; the directories for their bytecode are made."""
        unfinished = {name: keys[name] for name in missing if name in inventories and inventories[name].sources}
        for name in unfinished:
            make_places(inventories[name].sources, site_packages(directory))
        return unfinished


def tree_bytes(directory: Path) -> int:
    """The bytes of the regular files of a tree, each file counted once however many links to it there are."""
    sizes: dict[int, int] = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            # `os` and not `Path`: some thousand files.
            status = os.lstat(f"{parent}/{name}")
            if stat.S_ISREG(status.st_mode):
                sizes[status.st_ino] = status.st_size
    return sum(sizes.values())
