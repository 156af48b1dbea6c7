"""The list of fonts: when it is made, and when again. Matplotlib is a small one that lists as slowly as it likes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes import CountingSandbox
from recto.builder.commands import Commands
from recto.builder.fonts import keep_fonts
from recto.interpreters import Base, probe

# Lists the files of the directory that stands for the machine's fonts, as the real one does: in a format of its own.
FONT_MANAGER = """\
import json, os
from pathlib import Path
names = sorted(path.name for path in Path({fonts!r}).rglob("*.ttf"))
(Path(os.environ["MPLCONFIGDIR"]) / "fontlist-v{version}.json").write_text(json.dumps(names))
"""


class Machine:
    """A base with matplotlib, directories of fonts, and what came of keeping their list."""

    def __init__(self, python: Path, root: Path) -> None:
        self._python = python
        self._scratch = root / "scratch"
        self.sandbox = CountingSandbox()
        self.kept = root / "kept"
        self.fonts = root / "fonts"
        (self.fonts / "truetype").mkdir(parents=True)
        (self.fonts / "truetype" / "one.ttf").touch()
        self.install("390")

    def install(self, version: str, text: str = FONT_MANAGER) -> None:
        (site,) = self._python.parents[1].glob("lib/python*/site-packages")
        for old in site.glob("matplotlib*"):
            shutil.rmtree(old)
        (site / "matplotlib").mkdir()
        (site / "matplotlib" / "__init__.py").touch()
        manager = text.format(fonts=str(self.fonts), version=version)
        (site / "matplotlib" / "font_manager.py").write_text(manager)
        information = site / f"matplotlib-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: matplotlib\nVersion: {version}\n")

    def base(self) -> Base:
        return probe(self._python)

    def keep(self) -> dict[str, str]:
        """The lists by their names, after they were asked for once more."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        keep_fonts(Commands(self.sandbox, self.base(), self._scratch, 60.0), self.kept, (self.fonts,))
        return {path.name: path.read_text() for path in self.kept.glob("fontlist-*")}

    @property
    def made(self) -> int:
        return len(self.sandbox.commands)


@pytest.fixture
def machine(uv: Path, tmp_path: Path) -> Machine:
    subprocess.run([uv, "venv", "--quiet", "--no-config", tmp_path / "base"], check=True)
    return Machine(tmp_path / "base" / "bin" / "python", tmp_path)


def test_a_list_is_made_once(machine: Machine) -> None:
    first = machine.keep()

    assert first == {"fontlist-v390.json": '["one.ttf"]'}
    assert machine.keep() == first
    assert machine.made == 1


@pytest.mark.parametrize("place", ["", "truetype", "truetype/new"])
def test_fonts_that_came_are_listed(machine: Machine, place: str) -> None:
    machine.keep()
    (machine.fonts / place).mkdir(exist_ok=True)
    (machine.fonts / place / "two.ttf").touch()

    assert machine.keep() == {"fontlist-v390.json": '["one.ttf", "two.ttf"]'}
    assert machine.made == 2


def test_fonts_that_went_are_not_listed_any_more(machine: Machine) -> None:
    machine.keep()
    (machine.fonts / "truetype" / "one.ttf").unlink()

    assert machine.keep() == {"fontlist-v390.json": "[]"}


def test_another_matplotlib_has_a_list_of_its_own(machine: Machine) -> None:
    machine.keep()
    machine.install("400")
    assert set(machine.keep()) == {"fontlist-v390.json", "fontlist-v400.json"}
    machine.install("390")
    machine.keep()
    assert machine.made == 2


@pytest.mark.parametrize("seen", ["", "[]", '{"fonts": 1}', '{"made": 1, "fonts": 2}', "\x00", "[" * 100_000])
def test_a_damaged_note_of_it_counts_as_none(machine: Machine, seen: str) -> None:
    machine.keep()
    (machine.kept / "seen.json").write_text(seen)

    machine.keep()
    machine.keep()

    assert machine.made == 2


def test_where_none_can_be_made_it_is_tried_again_when_fonts_change(machine: Machine) -> None:
    machine.install("390", "raise SystemExit(1)\n")
    assert (machine.keep(), machine.keep(), machine.made) == ({}, {}, 1)
    machine.install("390")
    os.utime(machine.fonts / "truetype", (0, 0))
    assert machine.keep() == {"fontlist-v390.json": '["one.ttf"]'}


def test_a_list_that_is_a_link_is_not_kept(machine: Machine, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    link = "import os\nos.symlink({secret!r}, os.environ['MPLCONFIGDIR'] + '/fontlist-v1.json')\n"
    machine.install("390", link.replace("{secret!r}", repr(str(secret))))

    assert machine.keep() == {}


def test_a_base_without_matplotlib_has_no_list(machine: Machine) -> None:
    bare = replace(machine.base(), identity=replace(machine.base().identity, distributions={}))

    keep_fonts(Commands(machine.sandbox, bare, machine.fonts, 60.0), machine.kept, (machine.fonts,))

    assert (machine.made, machine.kept.exists()) == (0, False)
