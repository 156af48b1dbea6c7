"""Wheels that try to land outside of their environment, or to take the place of what makes it, built in bubblewrap."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from building import Workshop, order_of
from msgspec.structs import replace

from containing import needs_bubblewrap
from recto.builder.workbench import Workbench
from recto.interpreters import Base
from recto.problems import BuildError
from recto.sandbox.bubblewrap import Bubblewrap
from recto.sandbox.door.access import Access
from recto.sandbox.door.leading import Leading
from wheels import make_wheel

pytest_plugins = ("builder_fixtures",)
pytestmark = needs_bubblewrap

# The wheels are on the disk.
NOWHERE = Leading(lambda: Access(frozenset()), {})
LANDED = "landed-on-the-other-side"
SCRIPT = f"#!/bin/sh\n# {LANDED}\n"

# What the wheel has, by its name in the wheel; `{out}` is a directory that it must not reach.
ENTRIES: dict[str, Callable[[str], dict[str, str]]] = {
    "upwards": lambda out: {"../../../../../landed.py": LANDED, "x.py": ""},
    "upwards into the cache": lambda out: {"../../../../../../cache/landed.py": LANDED, "x.py": ""},
    "absolute": lambda out: {f"{out}/landed.py": LANDED, "x.py": ""},
    "upwards from its data": lambda out: {"evil-1.0.data/data/../../../../../landed.py": LANDED, "x.py": ""},
    "upwards from its scripts": lambda out: {"evil-1.0.data/scripts/../../../../landed": SCRIPT, "x.py": ""},
    "a scheme that is none": lambda out: {"evil-1.0.data/../../landed.py": LANDED, "x.py": ""},
    "backslashes": lambda out: {"..\\..\\..\\..\\landed.py": LANDED, "x.py": ""},
    "through a link": lambda out: {"way/landed.py": LANDED, "x.py": ""},
    "through a link in its data": lambda out: {"evil-1.0.data/data/way/landed.py": LANDED, "x.py": ""},
    "its interpreter": lambda out: {"evil-1.0.data/scripts/python": SCRIPT, "x.py": ""},
    "its interpreter as data": lambda out: {"evil-1.0.data/data/bin/python": SCRIPT, "x.py": ""},
    "its settings": lambda out: {"evil-1.0.data/data/pyvenv.cfg": f"home = {out}\n", "x.py": ""},
}
LINKS = {"through a link": "way", "through a link in its data": "evil-1.0.data/data/way"}


@pytest.fixture
def contained(tmp_path: Path, workbench: Workbench) -> Workshop:
    """A workshop whose commands are contained, with a cache of its own that it may write."""
    (tmp_path / "v1" / "staging").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    own = {name: tmp_path / "v1" / name for name in ("cache", "bytecode")}
    bench = replace(workbench, sandbox=Bubblewrap(shown=(tmp_path / "wheels",), leading=NOWHERE), **own)
    return Workshop(bench, tmp_path / "v1" / "staging")


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_wheel_lands_in_its_environment_or_nowhere(
    contained: Workshop, kernel_base: Base, tmp_path: Path, entry: str
) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    links = {LINKS[entry]: str(out)} if entry in LINKS else {}
    wheel = make_wheel(tmp_path / "wheels", "evil", "1.0", ENTRIES[entry](str(out)), links=links)
    interpreter = Path(sys.executable).resolve().read_bytes()

    with suppress(BuildError):
        contained.build(order_of(kernel_base, wheel))

    assert list(out.iterdir()) == []
    landed = [path for path in tmp_path.rglob("*landed*") if path.is_file()]
    environment, unpacked = contained.directory, contained.workbench.cache
    assert not [path for path in landed if not path.is_relative_to(environment) and not path.is_relative_to(unpacked)]
    # In the cache only in the directory of the wheel itself.
    assert not [path for path in landed if path.is_relative_to(unpacked) and "archive" not in str(path)]
    assert Path(sys.executable).resolve().read_bytes() == interpreter
    assert not [path for path in environment.rglob("*") if path.is_symlink() and path.resolve() == out]
