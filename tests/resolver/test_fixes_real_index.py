"""Refusals as new users meet them, with the real index over the curated stack: the edit, and that it mends."""

from __future__ import annotations

from pathlib import Path

import pytest
from mending import Project
from packaging.requirements import Requirement
from resolving import Bench

pytest_plugins = ("resolver_fixtures",)

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.mark.parametrize(
    ("text", "code", "package"),
    [
        ("polras  # fast", "no-matching-distribution", "polars"),
        ("cv2", "no-matching-distribution", "opencv-python-headless"),
        ("sklearn", "no-wheel", "scikit-learn"),
        ("polars==99", "no-matching-version", "polars"),
        ("psycopg2==2.9.9", "no-wheel", "psycopg2-binary"),
        ("pycrypto", "no-wheel", "pycryptodome"),
        ("mysql-connector", "no-wheel", "mysql-connector-python"),
        ("torch==1.10", "wheel-unsupported", "torch"),
        ("jupyter-client<7", "protected-conflict", "jupyter-client"),
        ("numpy==2.4.6\nnumba==0.57", "dependency-conflict", "numba"),
    ],
)
def test_the_edit_mends_it(text: str, code: str, package: str, real: Bench, tmp_path: Path) -> None:
    project = Project(tmp_path, real)
    project.write("requirements.txt", text)
    (found,) = project.refusals()
    assert found.code == code
    project.apply(found.fix)
    changed = [line for line in project.text().split("\n") if line not in text.split("\n")]
    assert [Requirement(line.partition("#")[0]).name for line in changed] == [package]
    assert project.text().endswith("  # fast") == text.endswith("  # fast")
    project.resolve()


@pytest.mark.parametrize(
    ("text", "named"),
    [("mysqlclient", "PyMySQL"), ("python-ldap", "ldap3"), ("fbprophet", "prophet")],
)
def test_a_package_of_another_import_is_named(text: str, named: str, real: Bench, tmp_path: Path) -> None:
    project = Project(tmp_path, real)
    project.write("requirements.txt", text)
    (found,) = project.refusals()
    assert found.fix is None
    assert f"`{named}` has wheels" in found.hint
