"""Rendering with the environment of before, where the policy allows it and the change fails."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
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


def _with(**changes: object) -> Callable[[bytes], bytes]:
    """Damages a record by putting other values into it, deep inside where a name has dots for `__`."""

    def damage(data: bytes) -> bytes:
        whole = json.loads(data)
        for name, value in changes.items():
            *path, last = name.split("__")
            reduce(lambda at, step: at[step], path, whole)[last] = value
        return json.dumps(whole).encode()

    return damage


@pytest.mark.parametrize("declared", ["polars\n", ""])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: b"\xff\xfe\x00\x01" + data,
        lambda data: b"[" * 100_000,
        _with(value=[]),
        _with(value__environment_key=3),
        _with(value__environment_key="../../envs"),
        _with(value__value=None),
        _with(value__value__base=7),
        _with(value__value__declared="polars"),
        _with(written_at="yesterday"),
        _with(written_at=1e300),
        _with(written_at=float("nan")),
    ],
)
def test_a_record_that_is_damaged_is_none(damage: Callable[[bytes], bytes], declared: str, house: House) -> None:
    house.declares(declared)
    house.render()
    (record,) = (house.directory / "data" / "v1" / "documents").iterdir()
    record.write_bytes(damage(record.read_bytes()))
    house.declares("pandsa\n")
    assert house.render().status == "failure"
    house.declares(declared)
    assert house.render().status == "success"
    house.declares("pandsa\n")
    assert origin(house.render()) == "last-good"


def test_a_record_that_may_not_be_read_is_none_and_may_be_replaced(house: House) -> None:
    house.render()
    (record,) = (house.directory / "data" / "v1" / "documents").iterdir()
    record.unlink()
    # A link to itself: root may read whatever has permissions.
    record.symlink_to(record.name)
    house.declares("pandsa\n")
    assert told(house.render()) == [("no-matching-distribution", "error")]
    house.declares("polars\n")
    assert house.render().status == "success"
    house.declares("pandsa\n")
    assert origin(house.render()) == "last-good"


def test_a_good_render_of_which_no_record_can_be_kept_is_good_all_the_same(house: House) -> None:
    house.store.prune()
    (house.directory / "data" / "v1" / "documents").write_text("in the way")
    assert house.render().status == "success"
    house.declares("pandsa\n")
    assert told(house.render()) == [("no-matching-distribution", "error")]


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("pandsa\n", "no-matching-distribution", "Since then `pandsa` was added"),
        ("polars = 1.2\n", "invalid-requirement", "What is declared now cannot be read"),
        ("polars\n", "cap-packages", "Since then `polars` was added"),
    ],
)
def test_a_document_that_had_no_packages_goes_back_to_the_base_alone(
    text: str, code: str, hint: str, house: House
) -> None:
    house.declares("")
    assert (origin(house.render()), house.builder.orders) == ("base", [])
    house.declares(text)
    if code == "cap-packages":
        house.policy = Policy(installing=True, last_good=True, packages_max=0)
    report = house.render()
    assert (report.status, origin(report)) == ("success", "last-good")
    assert told(report) == [("last-good", "warning"), (code, "warning")]
    assert report.environment is not None
    assert (report.environment.key, report.environment.prefix) == (None, house.base().prefix)
    assert "those of the base alone" in report.problems[0].message
    assert report.problems[0].hint.startswith(hint)
    # That the change failed makes nothing good.
    house.policy = Policy(installing=True, last_good=True)
    house.declares("pandsa\n")
    assert origin(house.render()) == "last-good"


def test_without_last_good_the_base_alone_is_none(house: House) -> None:
    house.policy = Policy(installing=True)
    house.declares("")
    house.render()
    house.declares("pandsa\n")
    assert house.render().status == "failure"


def test_the_base_alone_takes_the_place_of_packages_and_they_that_of_the_base(house: House) -> None:
    house.render()
    house.declares("")
    house.render()
    house.declares("pandsa\n")
    report = house.render()
    assert report.environment is not None
    assert report.environment.key is None
    house.declares("polars\n")
    house.render()
    house.declares("pandsa\n")
    report = house.render()
    assert report.environment is not None
    assert report.environment.key is not None


def test_the_base_alone_is_kept_by_pruning_and_not_for_another_base(house: House) -> None:
    house.declares("")
    house.render()
    house.store.prune(0)
    house.declares("pandsa\n")
    assert origin(house.render()) == "last-good"
    house.has = {"numpy": "2.0"}
    assert house.render().status == "failure"


def test_the_base_alone_needs_nobodys_leave(house: House) -> None:
    house.declares("")
    house.render()
    house.declares("polars = 1.2\n")
    assert origin(house.render(Grant("visitor"))) == "last-good"
    house.policy = Policy(installing=True, last_good=True, require_approval=True)
    house.declares("pandsa\n")
    assert origin(house.render(Grant("author", install=True, approved=house.digest))) == "last-good"


def test_the_same_render_again_writes_nothing(house: House) -> None:
    house.render()
    (record,) = (house.directory / "data" / "v1" / "documents").iterdir()
    before = (record.stat().st_ino, record.stat().st_mtime_ns)
    house.now += 86_400
    house.render()
    assert (record.stat().st_ino, record.stat().st_mtime_ns) == before
