"""Rendering with the environment of before, where the policy allows it and the change fails."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes import FakeBuilder, FakeEngine, FakeResolver, base
from recto.declaration import declare
from recto.environments import Environments, Options
from recto.environments.providers import Providers
from recto.interpreters import Base
from recto.keys import declaration_digest
from recto.policy import Grant, Policy
from recto.problems import problem
from recto.render import Project, RenderRequest, Renders, Report
from recto.render.options import Options as RenderOptions
from recto.store import Store
from recto.store.layout import Layout


@dataclass
class House:
    """One document over one store; each render is a new process to the objects."""

    directory: Path
    now: float = field(default_factory=time.time)
    policy: Policy = field(default_factory=lambda: Policy(installing=True, last_good=True))
    engine: FakeEngine = field(default_factory=FakeEngine)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    resolver: FakeResolver = field(default_factory=lambda: FakeResolver({"polars": "2.1.0", "altair": "5.0"}))
    has: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> Path:
        return self.directory / "project" / "paper.qmd"

    @property
    def store(self) -> Store:
        return Store.open(self.directory / "data", clock=lambda: self.now)

    def base(self) -> Base:
        return base(self.directory / "data" / "base", **self.has)

    def declares(self, text: str) -> None:
        self.document.with_name("requirements.txt").write_text(text)

    def render(self, grant: Grant | None = None, document: Path | None = None) -> Report:
        environments = Environments(self.store, self.resolver, self.builder, self.base, Options(self.policy))
        renders = Renders(environments, (self.engine,), RenderOptions(), self._providers)
        return renders.render(RenderRequest(document or self.document, grant=grant or Grant.own()))

    def _providers(self) -> Providers:
        return Providers(Layout.of(self.directory / "data"), self.base())

    @property
    def digest(self) -> str:
        return declaration_digest(declare(Project(self.document.parent).read))


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.document.parent.mkdir()
    house.document.write_text("# Paper\n")
    house.declares("polars\n")
    return house


def told(report: Report) -> list[tuple[str, str]]:
    return [(found.code, found.level) for found in report.problems]


def origin(report: Report) -> str | None:
    return None if report.environment is None else report.environment.origin


@pytest.mark.makes("last-good")
@pytest.mark.parametrize(
    ("text", "code", "changes"),
    [
        ("polars\npandsa\n", "no-matching-distribution", "Since then `pandsa` was added"),
        ("polars = 1.2\n", "invalid-requirement", "What is declared now cannot be read"),
        ("altair>1\n", "cap-packages", "Since then `altair>1` was added, `polars` was removed"),
    ],
)
def test_a_change_that_fails_takes_no_document_down(text: str, code: str, changes: str, house: House) -> None:
    good = house.render()
    assert (good.status, origin(good), told(good)) == ("success", "built", [])
    house.declares(text)
    if code == "cap-packages":
        house.policy = Policy(installing=True, last_good=True, packages_max=0)
    report = house.render()
    assert (report.status, origin(report)) == ("success", "last-good")
    assert told(report) == [("last-good", "warning"), (code, "warning")]
    assert report.environment is not None
    assert good.environment is not None
    assert report.environment.key == good.environment.key
    assert report.problems[0].hint.startswith(changes)
    # Held while it is used, and marked as used.
    assert len(house.engine.jobs[-1].keep_open) == 1
    house.declares("polars\n")
    assert told(house.render()) == []


def test_a_build_that_fails_is_such_a_change_too(house: House) -> None:
    house.render()
    house.declares("altair\n")
    house.builder = FakeBuilder(failing=[problem("install-failed", reason="it broke")])
    assert told(house.render())[0] == ("last-good", "warning")


def test_where_the_policy_does_not_allow_it_a_failure_is_one(house: House) -> None:
    house.policy = Policy(installing=True)
    house.render()
    house.declares("pandsa\n")
    assert house.render().status == "failure"
    # Nothing was kept meanwhile.
    house.policy = Policy(installing=True, last_good=True)
    assert house.render().status == "failure"


def test_a_document_that_was_never_rendered_well_has_none(house: House) -> None:
    house.engine.status = "failure"
    house.render()
    house.engine.status = "success"
    house.declares("pandsa\n")
    assert told(house.render()) == [("no-matching-distribution", "error")]


def test_another_document_of_the_project_has_its_own(house: House) -> None:
    house.render()
    house.document.rename(house.document.with_name("other.qmd"))
    house.document.write_text("# Another\n")
    house.declares("pandsa\n")
    assert house.document.with_name("other.qmd").exists()
    house.document.unlink()
    house.document.with_name("other.qmd").rename(house.document)
    assert origin(house.render()) == "last-good"
    (house.document.parent / "new.qmd").write_text("# New\n")
    report = house.render(document=house.document.with_name("new.qmd"))
    assert report.status == "failure"


def test_an_environment_that_is_gone_is_none(house: House) -> None:
    report = house.render()
    assert report.environment is not None
    assert report.environment.key is not None
    house.store.remove(report.environment.key)
    house.declares("pandsa\n")
    assert house.render().status == "failure"
    house.store.prune()
    assert not list((house.directory / "data" / "v1" / "documents").iterdir())


def test_over_another_base_it_is_none(house: House) -> None:
    house.render()
    house.declares("pandsa\n")
    house.has = {"numpy": "2.0"}
    assert house.render().status == "failure"


def test_whoever_may_not_install_gets_the_plain_base_all_the_same(house: House) -> None:
    house.render()
    assert origin(house.render(Grant("visitor"))) == "base"
    house.declares("pandsa\n")
    assert origin(house.render(Grant("visitor"))) == "base"
    house.declares("--index-url x\n")
    assert house.render(Grant("visitor")).status == "failure"


def test_what_was_approved_is_used_until_the_change_is(house: House) -> None:
    house.policy = Policy(installing=True, last_good=True, require_approval=True)
    grant = Grant("author", install=True, approved=house.digest)
    house.render(grant)
    house.declares("polars\naltair\n")
    report = house.render(grant)
    assert (origin(report), report.status) == ("last-good", "success")
    assert told(report)[0] == ("last-good", "warning")
    # Approved was another one: what nobody approved is not used.
    assert origin(house.render(Grant("author", install=True, approved="x" * 32))) == "base"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"environment_key": 3}', b"\xff\xfe"])
def test_a_record_that_is_damaged_is_none(data: bytes, house: House) -> None:
    house.render()
    (record,) = (house.directory / "data" / "v1" / "documents").iterdir()
    record.write_bytes(data)
    house.declares("pandsa\n")
    assert house.render().status == "failure"
    house.declares("polars\n")
    assert house.render().status == "success"
    house.declares("pandsa\n")
    assert origin(house.render()) == "last-good"


def test_the_same_render_again_writes_nothing(house: House) -> None:
    house.render()
    (record,) = (house.directory / "data" / "v1" / "documents").iterdir()
    before = (record.stat().st_ino, record.stat().st_mtime_ns)
    house.now += 86_400
    house.render()
    assert (record.stat().st_ino, record.stat().st_mtime_ns) == before
