"""`recto doctor`: whether this installation can do its work, and what to mend."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import psutil
from msgspec import Struct

from recto.app import App
from recto.cli.console import Console
from recto.engines.base import RENDER_STACK
from recto.interpreters import missing_render_stack
from recto.problems import RectoError, counted, size

# By how much the store's count may be wrong before it is worth a warning, as a part of the budget: index pages of the
# resolver and lists of fonts come into the cache without being told, some megabytes.
DRIFT = 0.01

# Records that are named; of more, how many.
NAMED = 3

Status = Literal["ok", "warning", "error"]

# flock(2) may be absent, local to one machine, or silently ineffective on these.
NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs")


class Finding(Struct, frozen=True):
    """What one check found."""

    status: Status
    detail: str


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Prints what each check found; 1 when one found an error."""
    app = App()
    findings = {name: _found(check, app) for name, check in CHECKS.items()}
    if arguments.json:
        rows = [{"check": name, "status": f.status, "detail": f.detail} for name, f in findings.items()]
        console.json({"checks": rows})
    else:
        for name, finding in findings.items():
            console.data(f"{finding.status:8} {name:16} {finding.detail}")
    return 1 if any(finding.status == "error" for finding in findings.values()) else 0


def _found(check: Callable[[App], Finding], app: App) -> Finding:
    try:
        return check(app)
    except RectoError as error:
        return Finding("error", " ".join(f"{problem.message} {problem.hint}" for problem in error.problems))
    except OSError as error:
        # A data directory that cannot be written is what a doctor is asked about.
        return Finding("error", f"{error.strerror or error}: {error.filename}")


def data_directory(app: App) -> Finding:
    """Whether the data directory can be written and lies on a local file system."""
    with app.store.mutex("doctor", wait_seconds=10):
        pass
    path = app.settings.data_dir.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    kind = max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"
    if kind in NETWORK_FILE_SYSTEMS:
        return Finding("error", f"{path} is on {kind}; leases need a local file system")
    return Finding("ok", f"{path} ({kind})")


def locks(app: App) -> Finding:
    """Whether a lock keeps a second holder out here."""
    with tempfile.NamedTemporaryFile(dir=app.store.cache) as file:
        other = os.open(file.name, os.O_RDONLY)
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Finding("ok", "flock keeps others out")
        except OSError as error:
            return Finding("error", f"flock does not work here: {error.strerror}")
        finally:
            os.close(other)
    return Finding("error", "flock keeps nobody out here; leases need a local file system")


def links(app: App) -> Finding:
    """Whether environments can share files with the cache and with the bytecode that is kept."""
    with tempfile.TemporaryDirectory(dir=app.store.base.parent / "envs") as directory:
        for number, (kind, kept) in enumerate((("wheels", app.store.cache), ("bytecode", app.store.bytecode))):
            with tempfile.NamedTemporaryFile(dir=kept) as file:
                try:
                    Path(directory, str(number)).hardlink_to(file.name)
                except OSError as error:
                    return Finding("warning", f"{kind}: files are copied, not linked ({error.strerror})")
    return Finding("ok", "environments share files with the cache and the bytecode")


def bytecode(app: App) -> Finding:
    """Whether kept bytecode is what was compiled, and environments have theirs; every file is read."""
    from recto.builder.bytecode import Bytecode

    audit = Bytecode(app.store.bytecode).audit()
    found = f"{counted(audit.whole, 'package')} compiled"
    if audit.damaged:
        # Environments have the same files under other names.
        dropped = f"{counted(len(audit.damaged), 'package')} had damaged files and will be compiled again"
        return Finding("warning", f"{found}; {dropped}. Remove environments with `recto env rm` where imports fail")
    failures = app.store.unfinishable()
    if failures:
        key, reason = next(iter(failures.items()))
        return Finding("warning", f"{found}; {counted(len(failures), 'environment')} without, {key[:12]}: {reason}")
    waiting = len(app.store.unfinished())
    return Finding("ok", f"{found}; {counted(waiting, 'environment')} waiting for theirs" if waiting else found)


def accounting(app: App) -> Finding:
    """Whether the bytes in use are what the store thinks they are; every file is looked at."""
    audit = app.store.audit()
    usage = audit.usage
    found = f"counted {size(usage.counted_bytes)} in {counted(usage.environments, 'environment')} and what they share"
    if audit.kept_bytes is None:
        return Finding("ok", f"{found}; no count was kept")
    wrong = abs(audit.mended_bytes)
    detail = f"{found}, kept {size(audit.kept_bytes)}{'; mended' if wrong else ''}"
    return Finding("warning" if wrong > app.settings.budget * DRIFT else "ok", detail)


def room(app: App) -> Finding:
    """Bytes in use against the budget, and free against the floor."""
    found = app.store.room()
    used = "not counted" if found.used_bytes is None else size(found.used_bytes)
    promised = f", {size(found.promised_bytes)} promised to builds" if found.promised_bytes else ""
    detail = f"{used} of {size(found.budget_bytes)} used{promised}, {size(found.free_bytes)} free on the volume"
    low = found.free_bytes < app.settings.free_floor or (found.used_bytes or 0) > found.budget_bytes
    return Finding("warning" if low else "ok", detail)


def memory(app: App) -> Finding:
    """What is remembered of failures and of documents, and which records cannot be read; such a one counts as none."""
    found = app.store.memory()
    failures, documents = found["failures"], found["documents"]
    told = f"{counted(failures.count, 'failure')} remembered{_since(failures.oldest)}"
    if documents.count:
        told += f"; the last good render of {counted(documents.count, 'document')}"
    lost = [f"{name}/{reason}" for name, one in found.items() for reason in one.illegible]
    if not lost:
        return Finding("ok", told)
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    cannot = f"{counted(len(lost), 'record')} cannot be read and may be deleted: {', '.join(lost[:NAMED])}{more}"
    return Finding("warning", f"{told}; {cannot}")


def audit_log(app: App) -> Finding:
    """What the log of the gateway takes."""
    from recto.index.audit.files import CURRENT, put_aside

    if not app.settings.audit:
        return Finding("ok", "off: what the gateway hands out is not recorded")
    directory = app.audit_directory
    try:
        aside = put_aside(directory)
    except FileNotFoundError:
        return Finding("ok", "nothing recorded yet")
    current = directory / CURRENT
    sizes = [*(file.bytes() for file in aside), *([current.stat().st_size] if current.exists() else [])]
    if not os.access(directory, os.W_OK | os.X_OK):
        return Finding("error", f"{directory} cannot be written, and what is not recorded is not handed out")
    oldest = f"; put aside since {aside[0].at.isoformat(timespec='seconds')}" if aside else ""
    return Finding("ok", f"{counted(len(sizes), 'file')} of {size(sum(sizes))}{oldest}")


def _since(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", the oldest of {datetime.fromtimestamp(seconds, UTC).isoformat(timespec='seconds')}"


def leftovers(app: App) -> Finding:
    """What commands that were killed left in the temporary directory; it is removed."""
    left = app.sweep_temporary()
    return Finding("ok", f"removed {counted(left, 'leftover')} of killed commands" if left else "none")


def base(app: App) -> Finding:
    """Whether the base works and has what engines need."""
    found = app.base()
    missing = missing_render_stack(found, RENDER_STACK)
    detail = f"Python {found.identity.version} at {found.python}, {len(found.identity.distributions)} packages"
    if missing:
        return Finding("error", f"{detail}; lacks {', '.join(missing)}")
    return Finding("ok", detail)


def uv(app: App) -> Finding:
    """Whether uv starts."""
    return _version((str(app.uv), "--version"))


def pandoc(app: App) -> Finding:
    """Whether pandoc starts."""
    return _version((str(app.pandoc), "--version"))


def typst(app: App) -> Finding:
    """The typst that writes PDF."""
    return Finding("ok", f"typst {version('typst')}")


def quarto(app: App) -> Finding:
    """Whether there is a Quarto, and which."""
    if app.quarto is None:
        return Finding("ok", "not found; documents are rendered by the built-in engine")
    found = _version((str(app.quarto), "--version"))
    return Finding(found.status, f"{found.detail} at {app.quarto}")


def sandbox(app: App) -> Finding:
    """Whether what contains the code of documents keeps its promises."""
    if app.sandbox.name == "none":
        return Finding("ok", "none: documents run with your own rights, as with `quarto render`")
    from recto.sandbox.self_test import tried

    promises = tried(app.sandbox)
    broken = [f"{promise.name} ({promise.failure})" for promise in promises if promise.failure]
    if broken:
        return Finding("error", f"{app.sandbox.name} does not keep {'; '.join(broken)}")
    kept = (f"{promise.name} ({promise.by})" if promise.by else promise.name for promise in promises)
    return Finding("ok", f"{app.sandbox.name} keeps {', '.join(kept)}")


def _version(argv: tuple[str, ...]) -> Finding:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("error", f"`{argv[0]}` does not start: {error}")
    return Finding("ok", done.stdout.splitlines()[0])


CHECKS: dict[str, Callable[[App], Finding]] = {
    "data directory": data_directory,
    "locks": locks,
    "links": links,
    "bytecode": bytecode,
    "accounting": accounting,
    "room": room,
    "memory": memory,
    "leftovers": leftovers,
    "audit log": audit_log,
    "base": base,
    "uv": uv,
    "pandoc": pandoc,
    "typst": typst,
    "quarto": quarto,
    "sandbox": sandbox,
}
