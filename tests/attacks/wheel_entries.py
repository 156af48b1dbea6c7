"""Cases of the kind `wheels`: wheels with entries that lead elsewhere, each built into an environment of its own.

What stands in for a control is an unpacker that believes every name, on an environment of the usual form.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from case import Case, Seen
from mechanism import sandbox
from result import Result
from stage import Tools
from words import WORKS

from building import Workshop, order_of
from recto.interpreters import probe
from recto.problems import BuildError, SandboxError
from recto.sandbox.bubblewrap import Bubblewrap
from recto.sandbox.door.access import Access
from recto.sandbox.door.leading import Leading
from wheels import make_wheel

# The wheels are on the disk.
NOWHERE = Leading(lambda: Access(frozenset()), {})
_INTERPRETER = "the interpreter"


class Entries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of a wheel, and its links with where they lead."""

    entries: dict[str, str]
    links: dict[str, str] = {}


def run(case: Case, mechanism: str, tools: Tools) -> Result:
    """Where each wheel landed when Recto built with it."""
    return Result(
        case.name, mechanism, Seen({name: _built(mechanism, it, tools) for name, it in _wheels(case).items()})
    )


def control(case: Case, tools: Tools) -> Result:
    """Where it landed when its names were believed."""
    return Result(case.name, "none", Seen({name: _believed(it) for name, it in _wheels(case).items()}))


def _built(mechanism: str, wheel: Entries, tools: Tools) -> str:
    with tempfile.TemporaryDirectory(prefix="recto-attacked-") as name:
        root, out = Path(name), Path(name, "out")
        root.chmod(0o755)
        for path in (out, root / "wheels", root / "v1" / "staging"):
            path.mkdir(parents=True)
        # Whoever the installer is, they may write there.
        out.chmod(0o777)
        contains = sandbox(mechanism)
        if mechanism == "bubblewrap":
            contains = Bubblewrap(shown=(root / "wheels",), leading=NOWHERE)
        own = {kept: root / "v1" / kept for kept in ("cache", "bytecode")}
        workshop = Workshop(msgspec.structs.replace(tools.workbench, sandbox=contains, **own), root / "v1" / "staging")
        made = make_wheel(
            root / "wheels", "evil", "1.0", {"x.py": "", **_out(wheel.entries, out)}, links=_out(wheel.links, out)
        )
        interpreter = tools.python.resolve().read_bytes()
        try:
            with suppress(BuildError):
                workshop.build(order_of(probe(tools.python), made))
        except SandboxError:
            return "not built"
        environment, cache = workshop.directory, workshop.workbench.cache
        landed = [path for path in root.rglob("*landed*") if path.is_file() and not path.is_relative_to(environment)]
        # In the cache only in the directory of the wheel itself.
        astray = [path for path in landed if not path.is_relative_to(cache) or "archive" not in str(path)]
        leads = [path for path in environment.rglob("*") if path.is_symlink() and path.resolve() == out]
        changed = tools.python.resolve().read_bytes() != interpreter
        return WORKS if [*astray, *leads, *out.iterdir()] or changed else "kept in"


def _believed(wheel: Entries) -> str:
    """Writes to where the names lead, as the schemes of a wheel say."""
    with tempfile.TemporaryDirectory(prefix="recto-attacked-") as name:
        root, out = Path(name), Path(name, "out")
        # Deeper than any of the wheels leads up.
        environment, interpreter = root / "a/b/c/d/environment", root / "interpreter"
        site = environment / "lib" / "python3" / "site-packages"
        for path in (out, site, environment / "bin"):
            path.mkdir(parents=True)
        interpreter.write_text(_INTERPRETER)
        (environment / "bin" / "python").symlink_to(interpreter)
        for entry, target in _out(wheel.links, out).items():
            _place(entry, environment, site).symlink_to(target)
        for entry, text in _out(wheel.entries, out).items():
            path = _place(entry.replace("\\", "/"), environment, site)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        landed = [path for path in root.rglob("landed*") if not path.is_relative_to(environment)]
        settings = environment / "pyvenv.cfg"
        led = settings.exists() and str(out) in settings.read_text()
        return WORKS if landed or led or interpreter.read_text() != _INTERPRETER else "kept in"


def _place(entry: str, environment: Path, site: Path) -> Path:
    for scheme, directory in {"data": environment, "scripts": environment / "bin"}.items():
        prefix = f"evil-1.0.data/{scheme}/"
        if entry.startswith(prefix):
            return directory / entry.removeprefix(prefix)
    return site / entry


def _wheels(case: Case) -> Mapping[str, Entries]:
    return msgspec.toml.decode((case.directory / "wheels.toml").read_bytes(), type=dict[str, Entries])


def _out(texts: Mapping[str, str], out: Path) -> dict[str, str]:
    return {name.replace("@out@", str(out)): text.replace("@out@", str(out)) for name, text in texts.items()}
