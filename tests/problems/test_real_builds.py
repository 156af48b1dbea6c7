"""Source builds that really fail under pip and uv, with the backend, the compiler and the tools that people have."""

from __future__ import annotations

from pathlib import Path

import pytest
from failing import OWN_BACKEND, Installer, first, source

from recto.problems.diagnosis import diagnose

pytest_plugins = ("failing_fixtures",)
pytestmark = pytest.mark.network

# The tools of the environment build, since nothing is downloaded.
FLAGS = ("--no-index", "--no-build-isolation", "--no-deps")
C = (
    "from setuptools import Extension, setup\n"
    "setup(ext_modules=[Extension('spam_native', ['spam.c'])], py_modules=[])\n"
)
RUST = (
    "from setuptools import setup\n"
    "from setuptools_rust import RustExtension\n"
    "setup(rust_extensions=[RustExtension('spam_native')], packages=[])\n"
)
CARGO = '[package]\nname = "spam_native"\nversion = "1.0.0"\nedition = "2021"\n\n[lib]\ncrate-type = ["cdylib"]\n'


@pytest.mark.makes("build-compile-error")
def test_source_that_the_compiler_rejects(installer: Installer, tmp_path: Path) -> None:
    tree = source(tmp_path, "spam", {"setup.py": C, "spam.c": "int spam( {\n"})
    problems = diagnose(installer.install(*FLAGS, tree, CC="gcc"))
    assert [(problem.code, problem.package) for problem in problems] == [("build-compile-error", "spam")]


@pytest.mark.makes("build-missing-library")
def test_a_header_that_is_not_there(installer: Installer, tmp_path: Path) -> None:
    tree = source(tmp_path, "spam", {"setup.py": C, "spam.c": "#include <absent/absent.h>\n"})
    problem = diagnose(installer.install(*FLAGS, tree, CC="gcc"))[0]
    assert (problem.code, problem.package) == ("build-missing-library", "spam")
    assert "absent/absent.h" in problem.message


@pytest.mark.makes("build-no-compiler")
def test_a_machine_without_a_compiler(installer: Installer, tmp_path: Path, empty: str) -> None:
    tree = source(tmp_path, "spam", {"setup.py": C, "spam.c": "int spam;\n"})
    problems = diagnose(installer.install(*FLAGS, tree, PATH=empty))
    assert [(problem.code, problem.package) for problem in problems] == [("build-no-compiler", "spam")]


@pytest.mark.makes("build-no-rust")
def test_a_machine_without_rust(installer: Installer, tmp_path: Path, empty: str) -> None:
    tree = source(tmp_path, "spam", {"setup.py": RUST, "Cargo.toml": CARGO, "src/lib.rs": ""})
    assert first(installer.install(*FLAGS, tree, PATH=empty)) == ("build-no-rust", "spam")


@pytest.mark.makes("build-script-error")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import absent_module\n", "ModuleNotFoundError: No module named 'absent_module'"),
        ("raise RuntimeError('this needs another Python')\n", "RuntimeError: this needs another Python"),
    ],
)
def test_a_build_script_that_raises(installer: Installer, tmp_path: Path, script: str, reason: str) -> None:
    problem = diagnose(installer.install(*FLAGS, source(tmp_path, "spam", {"setup.py": script})))[0]
    assert (problem.code, problem.package) == ("build-script-error", "spam")
    assert problem.message == f"The build script of `spam` failed: {reason}."


@pytest.mark.makes("build-failed-unspecified")
def test_a_backend_that_ends_without_a_word(installer: Installer, tmp_path: Path) -> None:
    backend = "import os\n\n\ndef build_wheel(*words, **more):\n    os._exit(3)\n"
    tree = source(tmp_path, "spam", {"backend.py": backend}, OWN_BACKEND)
    assert first(installer.install("--no-index", "--no-deps", tree)) == ("build-failed-unspecified", "spam")
