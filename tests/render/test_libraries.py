"""Advice on a system library that an import needs: whose import it was, and what does without the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes import base
from recto.declaration import declare, mending
from recto.environments import Environment
from recto.environments.providers import Providers
from recto.problems import Problem, Source, problem
from recto.problems.diagnosis.exceptions import from_exception
from recto.render import Project
from recto.render.declaring import Declaring
from recto.render.libraries import Libraries
from recto.store import Store
from recto.store.layout import Layout
from shelf import Files, key, publish

CV2 = (
    "File /data/envs/x/lib/python3.11/site-packages/cv2/__init__.py:181\n"
    "File /usr/lib/python3.11/importlib/__init__.py:126, in import_module(name, package)\n"
    "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
)


class Bench:
    """A project whose environment holds some distributions."""

    def __init__(self, root: Path, requirements: str, packages: Files) -> None:
        self.root = root / "project"
        self.root.mkdir()
        (self.root / "requirements.txt").write_text(requirements)
        (self.root / "a.qmd").write_text("```{python}\nimport cv2\n```\n")
        prefix = publish(Store.open(root / "data"), 1, packages)
        self.environment = Environment(key(1), prefix / "bin" / "python", prefix, "cached")
        self.providers = Providers(Layout.of(root / "data"), base(root / "base"))

    def advised(self, excerpt: str = CV2, code: str = "shared-library-missing") -> Problem:
        """What is said of a library that the second line of the document missed."""
        project = Project(self.root)
        declaring = Declaring(project, "a.qmd", declare(project.read, "a.qmd"))
        found = problem(code, source=Source("a.qmd", 2), excerpt=excerpt, package="numpy", library="libGL.so.1")
        return Libraries(declaring, self.environment, self.providers).advised(found)

    def after(self, found: Problem) -> str:
        """The requirements with the fix made."""
        assert found.fix is not None
        return mending.mended((self.root / "requirements.txt").read_bytes(), found.fix.edits).decode()


OPENCV = {"opencv_python-4.5.5.64": ("cv2/__init__.py",), "numpy-2.0": ("numpy/__init__.py",)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("opencv-python\n", "opencv-python-headless\n"),
        ("numpy\nOpenCV_Python == 4.5.5.64  # pinned\n", "numpy\nopencv-python-headless == 4.5.5.64  # pinned\n"),
        ("opencv-python>=4; python_version >= '3.9'\n", "opencv-python-headless>=4; python_version >= '3.9'\n"),
    ],
)
def test_the_line_gets_the_package_that_does_without(tmp_path: Path, before: str, after: str) -> None:
    bench = Bench(tmp_path, before, OPENCV)

    assert bench.after(bench.advised()) == after


def test_a_line_in_two_places_changes_in_both(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "opencv-python\nopencv-python<5\n", OPENCV)

    assert bench.after(bench.advised()) == "opencv-python-headless\nopencv-python-headless<5\n"


def test_the_line_of_the_document_tells_where_no_frame_does(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "opencv-python\n", OPENCV)

    assert bench.after(bench.advised("ImportError: libGL.so.1: cannot open")) == "opencv-python-headless\n"


def test_extras_take_the_place_of_what_loads_the_library_of_the_system(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "psycopg>=3\n", {"psycopg-3.2": ("psycopg/__init__.py", "psycopg/pq/__init__.py")})

    found = bench.advised("File /e/lib/python3.11/site-packages/psycopg/pq/__init__.py:108, in import_from_libpq()")

    assert bench.after(found) == "psycopg[binary]>=3\n"


def test_a_line_that_has_extras_is_left_to_its_author(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "psycopg[pool]\n", {"psycopg-3.2": ("psycopg/__init__.py",)})

    assert bench.advised("File /e/lib/python3.11/site-packages/psycopg/__init__.py:1").fix is None


def test_what_came_with_another_package_is_named_and_has_no_edit(tmp_path: Path) -> None:
    found = Bench(tmp_path, "ultralytics\n", OPENCV).advised()

    assert found.fix is None
    assert "`opencv-python` needs it" in found.hint
    assert "`opencv-python-headless`" in found.hint


def test_a_package_without_an_alternative_is_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "cairocffi\n", {"cairocffi-1.7.1": ("cairocffi/__init__.py",)})

    found = bench.advised("File /e/lib/python3.11/site-packages/cairocffi/__init__.py:57, in dlopen(ffi)")

    assert found.hint == "`cairocffi` 1.7.1 needs it. Ask the operator for the library."
    assert found.fix is None


def test_two_packages_with_one_module_are_not_told_apart(tmp_path: Path) -> None:
    both = {"opencv_python-4.5": ("cv2/__init__.py",), "opencv_contrib_python-4.5": ("cv2/__init__.py",)}
    bench = Bench(tmp_path, "opencv-python\n", both)

    assert bench.advised().fix is None


@pytest.mark.parametrize("excerpt", ["", "File /e/site-packages/gone/__init__.py:1", "site-packages/\x00/" * 50])
def test_nothing_is_said_of_what_is_not_installed(tmp_path: Path, excerpt: str) -> None:
    bench = Bench(tmp_path, "numpy\n", {"numpy-2.0": ("numpy/__init__.py",)})

    found = bench.advised(excerpt)

    assert (found.fix, found.hint.startswith("Ask the operator")) == (None, True)


def test_other_problems_stay_as_they_are(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "opencv-python\n", OPENCV)

    assert bench.advised(code="abi-mismatch").hint == problem("abi-mismatch", package="numpy").hint


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "ImportError",
            "no wrapper available.\nAttempts made:\n- couldn't import x 'c' implementation: No module named 'x_c'\n"
            "- couldn't import x 'python' implementation: libpq.so.5: cannot open shared object file: No such file",
        ),
        ("ImportError", "failed to find libmagic.  Check your installation"),
        ("OSError", 'no library called "cairo-2" was found'),
    ],
)
def test_a_library_is_the_cause_before_the_modules_that_would_do_without_it(name: str, words: str) -> None:
    assert from_exception(name, words).code == "shared-library-missing"
