"""The tables against what the index offers. Two installs answer for all entries:

- pigar ships what a crawl of every distribution found: the top-level modules of 650,000 of them, in one SQLite file;
- the wheels of namespaces, of single files and of what pigar's crawl left out are unpacked and looked into.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import made_once
from recto.problems.modules.different import AMBIGUOUS, DIFFERENT, UNBUILT
from recto.problems.modules.same import SAME
from recto.problems.modules.standard import BROUGHT_BACK

pytestmark = [pytest.mark.network, pytest.mark.slow]

# The release that the tables were checked against (2025-11); a newer one may have lost a distribution.
CRAWL = "pigar==2.2.0"
# What the crawl does not hold, found in the wheels themselves.
UNPACKED = (
    "cgi",
    "cgitb",
    "mpl_toolkits",
    "mplfinance",
    "nmap",
    "pkg_resources",
    "pylab",
    "shapefile",
    "typing_extensions",
)


def entries() -> dict[str, tuple[str, ...]]:
    """Every module of the tables with its requirements."""
    several = {**DIFFERENT, **AMBIGUOUS, **UNBUILT, **BROUGHT_BACK}
    return {**{name: (name.replace("_", "-"),) for name in SAME}, **{k: tuple(v.split()) for k, v in several.items()}}


def unpacked() -> dict[str, tuple[str, ...]]:
    """The entries that only the files of a wheel can show."""
    return {module: names for module, names in entries().items() if "." in module or module in UNPACKED}


def install(uv: Path, cache: Path, environment: Mapping[str, str], target: Path, *requirements: str) -> None:
    argv = [str(uv), "pip", "install", "--quiet", "--no-config", "--no-deps", "--no-build", "--cache-dir", str(cache)]
    # The standard modules that come back are missing from this Python on.
    argv += ["--python-version", "3.13", "--python", sys.executable, "--target", str(target)]
    subprocess.run([*argv, *requirements], check=True, env=environment)


@pytest.fixture(scope="session")
def crawled(shared: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]) -> dict[str, set[str]]:
    """The normalised distributions of each top-level module, as the crawl found them."""
    target = made_once(shared / "crawl", lambda to: install(uv, uv_cache, network_environment, to, CRAWL))
    (database,) = target.glob("pigar/.db.sqlite3")
    query = "SELECT t.name, d.name FROM top_level_module_names t JOIN distributions d ON d.id = t.distribution_id"
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
        for module, distribution in connection.execute(query):
            found.setdefault(module, set()).add(canonicalize_name(distribution))
    return found


def test_every_distribution_has_its_module(crawled: dict[str, set[str]]) -> None:
    shown = {module: names for module, names in entries().items() if module not in {*unpacked(), "distutils"}}
    wrong = {
        (module, name)
        for module, names in shown.items()
        for name in names
        if canonicalize_name(Requirement(name).name) not in crawled.get(module, ())
    }
    assert wrong == set()
    assert len(shown) > 700


def test_wheels_hold_the_modules_that_the_crawl_cannot_show(
    shared: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]
) -> None:
    wanted = sorted({names[0] for names in unpacked().values()})
    target = made_once(shared / "unpacked", lambda to: install(uv, uv_cache, network_environment, to, *wanted))
    paths = {path.relative_to(target).as_posix() for path in target.rglob("*") if ".dist-info" not in path.name}
    lacking = {module for module in unpacked() if not {m := module.replace(".", "/"), f"{m}.py"} & paths}
    assert lacking == set()
    # `distutils` is put in place at start-up by setuptools.
    assert {"distutils-precedence.pth", "setuptools/_distutils"} <= paths
