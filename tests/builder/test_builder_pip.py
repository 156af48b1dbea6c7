"""pip in a cell is answered with the line to declare."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from building import Workshop, order_of
from recto.builder.pip_answer.__main__ import answer
from recto.interpreters import Base
from wheels import make_wheel

pytest_plugins = ("builder_fixtures",)


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("install polars", ["polars"]),
        ("install -U polars numpy<2 seaborn[stats]>=0.13", ["polars", "numpy<2", "seaborn[stats]>=0.13"]),
        ("-q install --index-url https://example.org/simple polars", ["polars"]),
        ("install --index-url=https://example.org/simple polars", ["polars"]),
        ("install --target /tmp/x polars --no-deps", ["polars"]),
        ("install -r more.txt polars", ["-r more.txt", "polars"]),
        ("install polars!=1.0,<2", ["polars!=1.0,<2"]),
    ],
)
def test_pip_install_is_answered_with_the_lines_to_declare(words: str, lines: list[str]) -> None:
    first, blank, *rest = answer(words.split()).splitlines()
    assert "requirements.txt" in first
    assert blank == ""
    assert rest == lines


@pytest.mark.parametrize(
    "words",
    ["", "list", "uninstall polars", "install", "install .", "install git+https://example.org/x", "install -e ."],
)
def test_anything_else_is_told_where_packages_come_from(words: str) -> None:
    assert answer(words.split()).startswith("pip does nothing here")


@pytest.mark.network
def test_both_ways_to_pip_give_the_answer(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    workshop.build(order_of(kernel_base, spam))
    for argv in (("pip",), ("pip3",), ("python", "-m", "pip")):
        said = workshop.run(*argv, "install", "polars", code=1)
        assert said.splitlines()[-1] == "polars"
        assert "this line" in said


@pytest.mark.network
@pytest.mark.parametrize("magic", ["%pip install polars", "!pip install polars"])
def test_pip_in_a_cell_gives_the_answer(magic: str, workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    workshop.build(order_of(kernel_base))
    path = f"{workshop.directory}/bin:/usr/bin:/bin"
    start = (
        f"os.environ.update(PATH={path!r}, HOME={str(tmp_path)!r}); start_ipython(argv=['--quiet', '-c', {magic!r}])"
    )
    said = workshop.python(f"import os; from IPython import start_ipython; {start}")
    assert "Add this line to `requirements.txt`" in said
    assert "polars" in said.split("render again:")[1]


@pytest.mark.network
def test_the_answer_moves_with_the_environment(workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    workshop.build(order_of(kernel_base))
    moved = workshop.directory.rename(tmp_path / "published")
    done = subprocess.run([moved / "bin" / "pip", "install", "polars"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "polars")


@pytest.mark.network
def test_a_declared_pip_is_left_alone(workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pip", "99.0", {"pip/__init__.py": "", "pip/__main__.py": "print('the real one')\n"})
    workshop.build(order_of(kernel_base, wheel))
    assert workshop.run("python", "-m", "pip") == "the real one\n"
    assert not (workshop.directory / "bin" / "pip").exists()


def test_the_answer_runs_on_the_standard_library_alone() -> None:
    import recto.builder.pip_answer

    directory = Path(recto.builder.pip_answer.__file__).parent
    argv = [sys.executable, "-I", "-S", str(directory), "install", "polars"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (1, "", "polars")
