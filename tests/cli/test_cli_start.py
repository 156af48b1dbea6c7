"""A command that is started in a project which has modules of its own under names that Python and Recto import."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from commandline import Recto

pytest_plugins = ("cli_fixtures",)

INSTALLED = str(Path(sys.executable).with_name("recto"))
# Of Python's own and of what Recto needs; Python imports the first ones before the first line of a module that it runs.
EARLY = ("warnings", "collections", "contextlib", "functools", "types", "keyword", "__future__")
LATE = ("argparse", "json", "pathlib", "random", "fcntl", "importlib.metadata", "msgspec", "packaging", "yaml", "gc")


def plant(project: Path, *names: str) -> None:
    """Modules that leave a file when they are imported, and then are of no use."""
    for name in names:
        mark = project / f"ran-{name}"
        (project / f"{name.partition('.')[0]}.py").write_text(f"open({str(mark)!r}, 'w')\nraise SystemExit(7)\n")


def ran(project: Path) -> list[str]:
    return sorted(path.name for path in project.glob("ran-*"))


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ((INSTALLED,), (*EARLY, *LATE)),
        ((sys.executable, "-P", "-m", "recto"), (*EARLY, *LATE)),
        ((sys.executable, "-m", "recto"), LATE[:5] + LATE[6:]),
    ],
    ids=["installed", "-P -m", "-m"],
)
def test_modules_of_the_project_are_not_run(bare: Recto, project: Path, argv: tuple[str, ...], names: object) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    assert isinstance(names, tuple)
    plant(project, *names)

    recto = replace(bare, argv=argv)
    versions = recto("version")
    diagnosed = recto("diagnose", "--json", stdin="ModuleNotFoundError: No module named 'cv2'")

    assert (versions.code, diagnosed.codes) == (0, ["missing-module"]), versions.err + diagnosed.err
    assert ran(project) == []


def test_they_are_where_python_is_left_to_look_there(project: Path) -> None:
    plant(project, "json")

    done = subprocess.run([sys.executable, "-c", "import json"], cwd=project, capture_output=True)

    assert (done.returncode, ran(project)) == (7, ["ran-json"])


def test_it_starts_in_a_directory_that_is_gone(bare: Recto, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    # The shell stands in the directory while it removes it.
    line = ("/bin/sh", "-c", 'rmdir "$PWD" && exec "$0" -m recto version', sys.executable)

    done = replace(bare, cwd=gone, argv=line)()

    assert done.code == 0, done.err
