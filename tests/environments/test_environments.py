"""`ensure` and its sisters over a real store: what is built, when, for whom, and what is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from house import OWN, House, asks, key_of
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet

from fakes import base
from recto.declaration.model import Declaration
from recto.environments import Environments, Options
from recto.keys import ContentPolicy, EnvironmentKey
from recto.policy import Grant, Policy
from recto.problems import BaseError, BuildError, Problem, Refused, ResolveError, Source, problem
from recto.progress import Event


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    assert house.leftovers() == []


def test_the_first_request_builds_and_the_second_finds_it_ready(house: House) -> None:
    environments = house.environments()
    with environments.ensure(asks("polars"), OWN) as first:
        assert first.origin == "built"
        assert first.python == first.prefix / "bin" / "python"
        assert first.python.exists()
    with environments.ensure(asks("Polars"), OWN) as second:
        assert second.origin == "cached"
        assert second.key == first.key
    assert len(house.resolver.requests) == len(house.builder.orders) == 1


def test_the_builder_prepares_beside_the_resolution_and_only_then(house: House) -> None:
    key = key_of(house.environments(), asks("polars"))
    assert house.builder.prepared == [house.base]
    house.store.remove(key)
    key_of(house.environments(), asks("polars"))
    assert len(house.builder.orders) == 2
    assert house.builder.prepared == [house.base]


def test_only_what_the_base_lacks_is_installed(house: House) -> None:
    key_of(house.environments(), asks("altair"))
    assert house.builder.orders[0].install == ("altair", "narwhals")


def test_an_empty_declaration_is_answered_by_the_base_itself(house: House) -> None:
    with house.environments().ensure(Declaration()) as environment:
        assert environment.origin == "base"
        assert environment.key is None
        assert environment.keep_open == ()
    assert house.resolver.requests == []


@pytest.mark.makes("declaration-not-approved")
@pytest.mark.parametrize(
    ("grant", "policy", "code"),
    [
        (None, {}, "install-not-granted"),
        (Grant("visitor"), {}, "install-not-granted"),
        (OWN, {"installing": False}, "install-disabled"),
        (replace(OWN, approved="0" * 32), {}, "declaration-not-approved"),
    ],
)
def test_whoever_may_not_install_causes_neither_resolution_nor_build(
    house: House, grant: Grant | None, policy: dict[str, object], code: str
) -> None:
    environments = house.environments(**policy)
    with pytest.raises(Refused) as refused:
        environments.ensure(asks("polars"), grant)
    assert refused.value.problems[0].code == code
    checked = environments.check(asks("polars"), grant)
    assert not checked.verdict.allowed
    assert checked.plan is None
    assert house.resolver.requests == []
    assert house.published() == []


def test_a_ready_environment_is_not_given_to_whoever_may_not_install(house: House) -> None:
    key_of(house.environments(), asks("polars"))
    with pytest.raises(Refused):
        house.environments().ensure(asks("polars"), Grant("visitor"))


def test_a_cap_on_the_lock_refuses_before_anything_is_built(house: House) -> None:
    with pytest.raises(Refused) as refused:
        house.environments(packages_max=1).ensure(asks("altair"), OWN)
    assert [p.code for p in refused.value.problems] == ["cap-packages"]
    assert house.builder.orders == []


def test_specs_with_the_same_outcome_share_one_environment(house: House) -> None:
    environments = house.environments()
    assert key_of(environments, asks("polars")) == key_of(environments, asks("polars>=1"))
    assert len(house.builder.orders) == 1
    assert len(house.resolver.requests) == 2


def test_a_package_that_nobody_knows_leaves_nothing_behind(house: House) -> None:
    with pytest.raises(ResolveError) as failed:
        house.environments().ensure(asks("polars", "polrs"), OWN)
    assert failed.value.problems[0].source == Source("requirements.txt", 2)
    assert house.published() == []


def test_a_failed_build_leaves_nothing_behind_and_the_next_try_builds(house: House) -> None:
    house.builder.failing = [problem("proof-kernel", reason="the kernel died")]
    environments = house.environments()
    with pytest.raises(BuildError):
        environments.ensure(asks("polars"), OWN)
    assert house.published() == []
    house.builder.failing = []
    with environments.ensure(asks("polars"), OWN, retry=True) as environment:
        assert [environment.key] == house.published()


def test_what_a_build_says_of_a_package_stands_at_the_line_that_asks_for_it(house: House) -> None:
    house.builder.failing = [problem("hash-mismatch", package=name) for name in ("Polars", "narwhals")]
    with pytest.raises(BuildError) as caught:
        house.environments().ensure(asks("pandas", "polars"), OWN)
    assert [found.source for found in caught.value.problems] == [Source("requirements.txt", 2), None]
    with pytest.raises(BuildError) as caught:
        house.environments().ensure(replace(asks("polars"), lock_source=Source("pylock.toml")), OWN)
    assert caught.value.problems[1].source == Source("pylock.toml")


def test_many_requests_for_one_new_spec_make_one_build(house: House) -> None:
    environments = house.environments()
    start = threading.Barrier(12)
    keys: list[EnvironmentKey] = []

    def request() -> None:
        start.wait()
        keys.append(key_of(environments, asks("altair")))

    threads = [threading.Thread(target=request) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 12
    assert len(set(keys)) == 1
    assert len(house.resolver.requests) == len(house.builder.orders) == 1


def test_an_evicted_environment_is_rebuilt_from_its_lock_without_resolving(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    house.store.remove(key)
    house.resolver.available["polars"] = "3.0"
    assert key_of(environments, asks("polars")) == key
    assert len(house.resolver.requests) == 1
    assert len(house.builder.orders) == 2


def test_versions_do_not_move_by_themselves(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    house.resolver.available["polars"] = "3.0"
    assert key_of(environments, asks("polars")) == key


def test_an_update_moves_versions_and_says_which(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    house.resolver.available["polars"] = "3.0"
    update = environments.update(asks("polars"), OWN)
    with update.environment as environment:
        assert environment.key not in (None, key)
    assert update.before == key
    assert update.moved == (("polars", "2.1.0", "3.0"),)
    assert key_of(environments, asks("polars")) == environment.key


def test_a_failed_update_leaves_the_last_answer_in_force(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    house.resolver.available["polars"] = "3.0"
    house.builder.failing = [problem("install-failed", reason="no network")]
    with pytest.raises(BuildError):
        environments.update(asks("polars"), OWN)
    assert key_of(environments, asks("polars")) == key


def test_a_check_installs_nothing_and_shows_what_will_be_installed(house: House) -> None:
    environments = house.environments()
    checked = environments.check(asks("altair"), OWN)
    assert checked.state == "absent"
    assert checked.plan is not None
    assert [item.name for item in checked.plan.install] == ["altair", "narwhals"]
    assert [item.name for item in checked.plan.from_base] == ["pandas"]
    assert house.published() == []
    house.resolver.available["narwhals"] = "9.9"
    assert key_of(environments, asks("altair")) == checked.environment_key
    assert environments.check(asks("altair"), OWN).state == "ready"


def test_a_check_without_resolving_asks_nobody(house: House) -> None:
    checked = house.environments().check(asks("polars"), OWN, resolve=False)
    assert checked.plan is None
    assert checked.environment_key is None
    assert checked.verdict.allowed
    assert house.resolver.requests == []


def test_a_check_of_what_cannot_be_resolved_is_a_state_with_problems(house: House) -> None:
    checked = house.environments().check(asks("polrs"), OWN)
    assert checked.state == "failed"
    assert checked.problems[0].code == "no-matching-distribution"


def test_a_check_during_a_build_says_building(house: House) -> None:
    environments = house.environments()
    states: list[str] = []
    house.builder.before = lambda: states.append(environments.check(asks("polars"), OWN, resolve=False).state)
    key_of(environments, asks("polars"))
    assert states == ["building"]


def test_a_change_of_the_base_that_nothing_leans_on_resolves_and_builds_nothing(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("altair"))
    house.base = base(house.data / "base", pandas="3.1.1", numpy="2.5.0", scipy="1.17")
    assert key_of(environments, asks("altair")) == key
    assert len(house.resolver.requests) == len(house.builder.orders) == 1


def test_a_change_of_the_base_that_it_leans_on_moves_only_what_must_and_says_why(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("altair"))
    house.resolver.available["altair"] = "7.0"
    house.base = base(house.data / "base", pandas="3.2.0", numpy="2.4.6")
    with environments.ensure(asks("altair"), OWN) as environment:
        assert environment.key != key
        drift = [remark for remark in environment.remarks if remark.code == "base-drift"]
    preferred = house.resolver.requests[1].preferred
    assert preferred is not None
    assert {str(p.name): str(p.version) for p in preferred.packages}["altair"] == "6.0"
    assert "pandas 3.1.1 → 3.2.0" in drift[0].message


def test_a_base_with_another_python_is_refused_at_the_line_that_asks(house: House) -> None:
    source = Source("paper.qmd", 4)
    wanted = replace(asks("polars"), requires_python=SpecifierSet(">=3.14"), requires_python_source=source)
    with pytest.raises(BaseError) as failed:
        house.environments().ensure(wanted, OWN)
    assert failed.value.problems[0].code == "requires-python-unmet"
    assert failed.value.problems[0].source == source


@pytest.mark.parametrize("bucket", ["specs", "resolutions", "lineages"])
@pytest.mark.parametrize("junk", [b"", b"\xff\x00", b"[]", b'{"written_at": 1, "value": {}}'])
def test_a_corrupt_record_is_a_miss(house: House, bucket: str, junk: bytes) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    for record in (house.data / "v1" / bucket).iterdir():
        record.write_bytes(junk)
    assert key_of(environments, asks("polars")) == key


def test_the_environment_carries_its_lock_its_log_and_its_passport(house: House) -> None:
    with house.environments().ensure(asks("altair"), OWN) as environment:
        assert 'name = "altair"' in (environment.prefix / "pylock.toml").read_text()
        assert (environment.prefix / "build.log").read_text() == "built\n"
    explained = house.environments().explain(asks("altair"))
    assert explained.environment_key == environment.key
    assert explained.manifest is not None
    assert explained.manifest["modules"] == {"altair": ["altair"], "narwhals": ["narwhals"]}
    assert explained.environment is not None
    assert explained.manifest["ingredients"] == explained.environment.to_json()


def test_an_explanation_before_the_first_resolution_has_the_spec_only(house: House) -> None:
    explained = house.environments().explain(asks("polars"))
    assert explained.environment_key is None
    assert explained.state == "absent"
    assert explained.spec.values("requirements") == ("polars",)


def test_tenants_share_nothing(house: House) -> None:
    def of(tenant: str) -> Environments:
        options = Options(Policy(installing=True), ContentPolicy(tenant=tenant))
        return Environments(house.store, house.resolver, house.builder, lambda: house.base, options)

    assert key_of(of("physics"), asks("polars")) != key_of(of("history"), asks("polars"))


def test_an_environment_in_use_cannot_be_removed(house: House) -> None:
    with house.environments().ensure(asks("polars"), OWN) as environment:
        assert environment.key is not None
        pruned = house.store.prune(0)
        assert pruned.evicted == ()
    assert house.store.prune(0).evicted == (environment.key,)


def test_progress_ends_with_ready(house: House) -> None:
    events: list[Event] = []
    sink: Callable[[Event], None] = events.append
    house.environments().ensure(asks("polars"), OWN, sink).close()
    assert [event.event for event in events] == ["resolving", "ready"]


def test_a_warning_about_the_answer_is_told_whenever_it_is_given(house: House) -> None:
    shadowed = problem("base-shadowed", package="seaborn", needs="numpy>=2", has="numpy 1.26.4", cause="`numpy<2`")
    house.resolver.remarks = (shadowed,)
    for environments in (house.environments(), house.environments()):
        with environments.ensure(asks("polars"), OWN) as environment:
            assert environment.remarks == (shadowed,)
    assert len(house.resolver.requests) == 1


def test_a_drift_of_the_base_is_told_once(house: House) -> None:
    environments = house.environments()
    key_of(environments, asks("altair"))
    house.base = base(house.data / "base", pandas="3.2.0", numpy="2.4.6")
    told = [[problem.code for problem in environments.check(asks("altair"), OWN).problems] for _ in range(2)]
    assert told == [["base-drift"], []]


def test_remarks_of_the_declaration_reach_whoever_asked(house: House) -> None:
    remark: Problem = problem("stdlib-name", package="pathlib")
    declaration = replace(asks("polars"), remarks=(remark,))
    with house.environments().ensure(declaration, OWN) as built:
        assert remark in built.remarks
    with house.environments().ensure(declaration, OWN) as cached:
        assert remark in cached.remarks
