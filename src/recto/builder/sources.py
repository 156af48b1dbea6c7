"""Wheels of distributions that the lock has as source only: built apart, judged, and kept by what they were made of.

A build runs code of its package's author, so it sees nothing that anybody else will use: a cache, a home and a place to
write of its own, which are thrown away. What is taken from there is one wheel, read without following a link. It is
installed afterwards as every wheel is, without running anything.

    KEPT/KEY/SHA256/NAME.whl   KEY of the source's SHA-256 and the interpreter; SHA256 of the wheel

Kept wheels are a cache: one that is missing or was changed is built again, and all may go when the disk is short.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import tomli_w
from msgspec import Struct
from msgspec.structs import replace as changed
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from recto.builder.base import Order
from recto.builder.commands import Commands
from recto.builder.uv import OURS, problems_of
from recto.interpreters import Base
from recto.problems import BuildError, Problem, problem
from recto.progress import Event, Progress
from recto.sandbox.base import Outcome
from recto.sandbox.beneath import Beneath, why
from recto.sandbox.throwaway import thrown_away

# Raised when wheels are built another way: old ones are then never found, and go with the next sweep.
FORMAT = 1
# The largest wheels with compiled code that indexes hold are of this size.
WHEEL_BYTES_MAX = 1_000_000_000
# Of uv's cache (0.13.9): `sdists-v11/index/DIGEST/NAME/VERSION/ID/NAME.whl`, the unpacked source below ID.
_BUCKET = "sdists-v"
_DEPTH = 5
_ENTRIES_MAX = 100_000
# How uv (0.13.9) says that a build gave another wheel than was asked for.
_NOT_IT = re.compile(r"^\s*cause: ((?:Package metadata|The (?:built )?wheel) .{1,300}?)\.?$", re.MULTILINE)


class Made(Struct, frozen=True):
    """An order whose every distribution has a wheel: those of `names` were built here, `new_bytes` of them just now."""

    order: Order
    names: frozenset[str] = frozenset()
    new_bytes: int = 0


class Sources(Struct, frozen=True):
    """Builds with one uv. `environment` is the way to the index.

    `kept` is where wheels are kept. Where it is None nothing is built: the installer then refuses what has no wheel.
    """

    uv: Path
    kept: Path | None
    environment: Mapping[str, str]

    def __repr__(self) -> str:
        # The variables may hold credentials.
        return f"Sources(uv={str(self.uv)!r}, kept={str(self.kept)!r})"

    def made(self, order: Order, commands: Commands, progress: Progress) -> Made:
        """The order with a wheel for each source, in the commands' scratch directory.

        Raises BuildError (a code of `build-`, or the limit that ended the build), Cancelled.
        """
        chosen = frozenset(order.install)
        sources = [one for one in order.lock.packages if one.name in chosen and not one.wheels and one.sdist]
        if not sources or self.kept is None:
            return Made(order)
        kept = self.kept
        place = commands.scratch / "wheels"
        place.mkdir()
        place.chmod(0o755)
        new_bytes, wheels = 0, {}
        for package in sources:
            wheel = _known(kept, package, order.base, place)
            if wheel is None:
                progress(Event("installing", f"building {package.name} from source"))
                wheel = self._built(package, order, place, commands)
                new_bytes += _keep(kept, package, order.base, wheel)
            wheels[package.name] = _locked(wheel)
        packages = [
            replace(one, wheels=[wheels[one.name]], sdist=None) if one.name in wheels else one
            for one in order.lock.packages
        ]
        return Made(changed(order, lock=replace(order.lock, packages=packages)), frozenset(wheels), new_bytes)

    def _built(self, package: Package, order: Order, place: Path, commands: Commands) -> Path:
        with thrown_away(commands.scratch, "source-") as own:
            for name in ("cache", "home", "tmp", "target"):
                (own / name).mkdir()
            alone = Pylock(lock_version=order.lock.lock_version, created_by="recto", packages=[package])
            (own / "pylock.toml").write_text(tomli_w.dumps(alone.to_dict()), encoding="utf-8")
            outcome = commands.within(own).run(
                (
                    *(str(self.uv), "pip", "install", "--requirements", str(own / "pylock.toml")),
                    *("--no-deps", "--require-hashes", "--no-sources", "--preview-features", "pylock"),
                    *("--python", str(order.base.python), "--target", str(own / "target")),
                    *("--cache-dir", str(own / "cache"), *OURS),
                ),
                {**self.environment, "HOME": str(own / "home"), "TMPDIR": str(own / "tmp"), "LANG": "C.UTF-8"},
                read_only=(self.uv,),
                network="none" if order.offline else "index",
            )
            if not outcome.succeeded:
                raise BuildError(_refused(outcome, package) or problems_of(outcome), commands.log)
            try:
                return _taken(own, package, order, place)
            except Unfit as unfit:
                found = problem("build-wheel-refused", package=package.name, reason=str(unfit))
                raise BuildError(found, commands.log) from unfit


def _refused(outcome: Outcome, package: Package) -> Problem | None:
    """The problem of a wheel that uv itself refused, None where the build failed."""
    match = _NOT_IT.search(outcome.stderr.decode("utf-8", "replace"))
    return None if match is None else problem("build-wheel-refused", package=package.name, reason=match[1])


class Unfit(Exception):
    """What a build left is not the one wheel that it should have made; says why."""


def sweep_built(kept: Path) -> int:
    """Deletes all kept wheels, as each can be built again; the bytes that this freed."""
    freed = 0
    for file in kept.glob("*/*/*.whl"):
        # Another process may sweep too.
        with suppress(FileNotFoundError):
            freed += file.stat().st_size
    shutil.rmtree(kept, ignore_errors=True)
    return freed


def _known(kept: Path, package: Package, base: Base, place: Path) -> Path | None:
    """A copy of the wheel that is kept for this source, None where none is, or one that was changed."""
    for directory in sorted((kept / _key(package, base)).glob("*")):
        for file in directory.glob("*.whl"):
            # A copy, and then its digest: a sweep may take the original at any time.
            with suppress(OSError):
                copy = place / file.name
                shutil.copyfile(file, copy)
                if _sha256(copy) == directory.name and _fitting(file.name, package, base):
                    return copy
                copy.unlink()
    return None


def _keep(kept: Path, package: Package, base: Base, wheel: Path) -> int:
    """Keeps the wheel; its bytes, 0 where it cannot be kept: it is built again the next time then."""
    target = kept / _key(package, base) / _sha256(wheel)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # What lies there was changed since, or another process has just kept the same.
        shutil.rmtree(target, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=kept, ignore_cleanup_errors=True) as aside:
            whole = Path(aside) / target.name
            whole.mkdir()
            shutil.copyfile(wheel, whole / wheel.name)
            whole.rename(target)
    except OSError:
        return 0
    return wheel.stat().st_size


def _taken(own: Path, package: Package, order: Order, place: Path) -> Path:
    """The wheel that the build left, copied to `place`; raises Unfit."""
    with Beneath(own, private=True) as left:
        try:
            with left.below("cache") as cache:
                names = list(_wheels(cache, package))
                if len(names) != 1:
                    told = ", ".join(sorted({name.rsplit("/", 1)[-1] for name in names})) or "none of its name"
                    raise Unfit(f"it left {len(names)} wheels of {package.name} {package.version}, not one ({told})")
                file = names[0].rsplit("/", 1)[-1]
                if not _fitting(file, package, order.base):
                    raise Unfit(f"`{file}` is not for this Python or this machine")
                with cache.file(names[0], min(WHEEL_BYTES_MAX, order.installed_bytes_max)) as descriptor:
                    copy = place / file
                    with os.fdopen(os.dup(descriptor), "rb") as source, copy.open("wb") as target:
                        shutil.copyfileobj(source, target)
                    copy.chmod(0o644)
                    return copy
        except OSError as error:
            raise Unfit(why(error)) from error


def _wheels(cache: Beneath, package: Package) -> Iterator[str]:
    """The names of wheels of this release that builds left in uv's cache."""
    with os.scandir(cache.descriptor) as entries:
        buckets = sorted(entry.name for entry in entries if entry.name.startswith(_BUCKET))
    for bucket in buckets:
        with cache.below(bucket) as inner:
            names, _ = inner.files(_ENTRIES_MAX, _DEPTH)
        yield from (f"{bucket}/{name}" for name in names if _of(name.rsplit("/", 1)[-1], package))


def _of(file: str, package: Package) -> bool:
    try:
        name, version, _, _ = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return False
    return name == canonicalize_name(package.name) and version == package.version


def _fitting(file: str, package: Package, base: Base) -> bool:
    """Whether a wheel of this name is one of the release, for this base."""
    if not _of(file, package):
        return False
    fitting = frozenset(tag for text in base.tags for tag in parse_tag(text))
    return not fitting.isdisjoint(parse_wheel_filename(file)[3])


def _locked(wheel: Path) -> PackageWheel:
    return PackageWheel(name=wheel.name, path=str(wheel), size=wheel.stat().st_size, hashes={"sha256": _sha256(wheel)})


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _key(package: Package, base: Base) -> str:
    """Stands for the source and the interpreter that it was built with: 32 hexadecimal digits."""
    identity, hashes = base.identity, package.sdist.hashes if package.sdist else {}
    ingredients = {
        "format": FORMAT,
        "source": sorted(f"{name}:{digest}".lower() for name, digest in hashes.items()),
        "release": f"{package.name}=={package.version}",
        "implementation": identity.implementation,
        "python": identity.version,
        "platform": identity.platform,
        "libc": identity.libc,
        "abi": identity.abi,
    }
    text = json.dumps(ingredients, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
