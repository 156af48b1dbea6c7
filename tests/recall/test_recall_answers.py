"""The short way gives what the ordinary way gives, over a real store and a real interpreter, on published files."""

from __future__ import annotations

import json
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes import FakeBuilder, FakeResolver
from recto.cli.remembering import Grounds, begins_here, keep
from recto.declaration import Declaration, declare
from recto.declaration.text import decode, lines_of
from recto.environments import Environment, Environments, Options
from recto.interpreters import Interpreters
from recto.policy import Grant, Policy
from recto.problems import DeclarationError
from recto.recall.memo import Answer, recalled
from recto.recall.question import question
from recto.render.project import Project
from recto.settings import ConfigurationFile
from recto.store import Store

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "requirements"
FILES = sorted(CORPUS.glob("*.txt"))


class _Everything(dict[str, str]):
    """An index that has every package, in one version unless it is told another."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "1.0"


@dataclass(frozen=True)
class House:
    """One project over one store, asked in both ways."""

    directory: Path
    python: Path
    index: _Everything

    @property
    def project(self) -> Project:
        return Project(self.directory / "project")

    @property
    def requirements(self) -> Path:
        return self.project.root / "requirements.txt"

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.directory), "RECTO_DATA_DIR": str(self.directory / "data")}

    def interpreters(self) -> Interpreters:
        """Those of a new process, which share what they were told."""
        return Interpreters(self.python.parents[2] / "memory")

    def environments(self, interpreters: Interpreters) -> Environments:
        store = Store.open(self.directory / "data")
        options = Options(Policy(installing=True))
        resolver = FakeResolver(self.index)
        return Environments(store, resolver, FakeBuilder(), lambda: interpreters.probe(self.python), options)

    def ordinary(self) -> Environment:
        """The answer of the ordinary way, which is kept for the short one."""
        interpreters = self.interpreters()
        environments = self.environments(interpreters)
        reads: list[tuple[str, bytes | None]] = []

        def read(name: str) -> bytes | None:
            reads.append((name, self.project.read(name)))
            return reads[-1][1]

        declaration = declare(read)
        environments.ensure(declaration, Grant.own()).close()
        with environments.ensure(declaration, Grant.own()) as environment:
            assert environment.key is not None
            assert begins_here(reads)
            asked = question(str(self.project.root), self.environ)
            footing = environments.footing(declaration, environment.key)
            base = interpreters.fingerprint(self.python)
            assert asked is not None
            assert footing is not None
            assert base is not None
            nowhere = ConfigurationFile(self.directory / "config.toml", None)
            keep(asked, environment, Grounds(reads, base, footing, nowhere))
        return environment

    def declaration(self) -> Declaration:
        return declare(self.project.read)

    def short(self) -> Answer | None:
        asked = question(str(self.project.root), self.environ)
        assert asked is not None
        return recalled(asked)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment without packages."""
    directory = tmp_path_factory.mktemp("base")
    venv.create(directory, with_pip=False, symlinks=True)
    return directory / "bin" / "python"


@pytest.fixture
def house(tmp_path: Path, python: Path) -> House:
    house = House(tmp_path.resolve(), python, _Everything())
    house.project.root.mkdir()
    house.requirements.write_text("polars\n")
    return house


def _equal(short: Answer | None, ordinary: Environment) -> bool:
    said = [remark.to_json() for remark in ordinary.remarks]
    return short is not None and (short.python, short.prefix, json.loads(short.more or "[]")) == (
        str(ordinary.python),
        str(ordinary.prefix),
        said,
    )


def _mended(project: Project, text: str) -> None:
    """Writes the text without the lines that are refused."""
    path = project.root / "requirements.txt"
    path.write_text(text)
    try:
        declare(project.read)
    except DeclarationError as error:
        refused = {problem.source.line for problem in error.problems if problem.source}
        path.write_text("\n".join("" if n in refused else line for n, line in enumerate(lines_of(text), 1)))


@pytest.mark.skipif(not FILES, reason="the corpus is not beside the checkout")
@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_both_ways_give_one_answer_for_a_published_file(house: House, path: Path) -> None:
    (house.project.root / "requirements.in").touch()
    _mended(house.project, decode(path.read_bytes()))
    if house.declaration().empty:
        # Of what asks for nothing no answer is kept; all else in the file counts here too.
        house.requirements.write_text(house.requirements.read_text() + "\npolars\n")
    ordinary = house.ordinary()
    assert _equal(house.short(), ordinary)

    house.requirements.write_text(house.requirements.read_text() + "\nrecto-never-published\n")
    assert house.short() is None
    changed = house.ordinary()
    assert changed.key != ordinary.key
    assert _equal(house.short(), changed)


def test_what_is_said_is_said_both_ways(house: House) -> None:
    house.requirements.write_text("argparse\n")
    ordinary = house.ordinary()
    assert [remark.code for remark in ordinary.remarks] == ["stdlib-backport"]
    assert _equal(house.short(), ordinary)


def test_an_update_ends_the_short_answer(house: House) -> None:
    house.ordinary()
    house.index["polars"] = "2.0"
    house.environments(house.interpreters()).update(house.declaration(), Grant.own()).environment.close()
    assert house.short() is None
    updated = house.ordinary()
    assert _equal(house.short(), updated)


def test_a_package_of_the_base_that_changes_ends_the_short_answer(house: House, tmp_path: Path) -> None:
    base = tmp_path / "own-base"
    venv.create(base, with_pip=False, symlinks=True)
    own = House(house.directory, base / "bin" / "python", house.index)
    own.ordinary()
    assert own.short() is not None
    (site,) = base.glob("lib/python3.*/site-packages")
    (site / "numpy-2.0.dist-info").mkdir()
    assert own.short() is None


def test_an_environment_that_is_to_be_finished_is_left_to_the_ordinary_way(house: House) -> None:
    environment = house.ordinary()
    assert environment.key is not None
    store = Store.open(house.directory / "data")
    store.mark_unfinished(environment.key, {"base": "any", "bytecode": {}})
    assert house.short() is None
    environments = house.environments(house.interpreters())
    assert environments.footing(house.declaration(), environment.key) is None


def test_only_the_present_answer_has_a_footing(house: House) -> None:
    first = house.ordinary()
    house.requirements.write_text("altair\n")
    second = house.ordinary()
    assert first.key is not None
    assert second.key is not None
    environments = house.environments(house.interpreters())
    assert environments.footing(house.declaration(), first.key) is None
    assert environments.footing(house.declaration(), second.key) is not None
