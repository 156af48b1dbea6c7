"""Failures that are remembered: what is tried again, when, for whom, and what is told instead."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from house import OWN, Clock, House, asks, key_of
from msgspec.structs import replace
from packaging.requirements import Requirement

from fakes import base
from recto.declaration.model import Declaration, Declared
from recto.environments import Environments
from recto.environments.lifetimes import LIFETIMES, lifetime
from recto.policy import Grant
from recto.problems import (
    KINDS,
    BuildError,
    Cancelled,
    Edit,
    Fix,
    Problem,
    RectoError,
    Refused,
    ResolveError,
    Source,
    StoreError,
    problem,
)
from recto.progress import Event, Progress
from recto.store.failures import SECONDS_MAX

Problems = tuple[Problem, ...]
Verb = Callable[[Environments, Declaration, Progress, bool], Problems]

LONG_SECONDS = 60
TIMEOUT = problem("network-timeout")
RUBBISH: tuple[object, ...] = (5, "x", [5], {"a": 1}, [[]], [{}])
BROKEN = problem("proof-kernel", reason="the kernel died")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> House:
    return House(tmp_path, clock)


def fails(house: House, *lines: str, retry: bool = False, **policy: object) -> RectoError:
    """What a request of a process of its own fails with."""
    with pytest.raises(RectoError) as failed:
        house.environments(**policy).ensure(asks(*lines), OWN, retry=retry).close()
    return failed.value


def codes(error: RectoError) -> list[str]:
    return [found.code for found in error.problems]


def resolutions(house: House) -> int:
    return len(house.resolver.requests)


def test_what_failed_is_told_again_and_not_tried_again(house: House, clock: Clock) -> None:
    house.resolver.failing = [problem("no-matching-distribution", package="polrs")]
    first = fails(house, "polrs")
    clock.now += 40
    again = fails(house, "polrs")
    assert resolutions(house) == 1
    assert isinstance(again, ResolveError)
    assert again.raw == first.raw == "the resolver's text"
    assert again.problems[:-1] == first.problems
    remark = again.problems[-1]
    assert (remark.code, remark.level) == ("failure-remembered", "info")
    assert "40 s ago" in remark.message
    assert "59 min more" in remark.message


def test_what_is_remembered_takes_no_thread_no_mutex_and_no_preparation(house: House) -> None:
    fails(house, "polrs")
    prepared = len(house.builder.prepared)
    ran: set[int] = set()
    threading.setprofile(lambda *_: ran.add(threading.get_ident()))
    try:
        with house.store.mutex(house.environments().explain(asks("polrs")).spec_key.digest, 0):
            assert codes(fails(house, "polrs"))[-1] == "failure-remembered"
    finally:
        threading.setprofile(None)
    assert ran == set()
    assert len(house.builder.prepared) == prepared


@pytest.mark.parametrize(
    ("code", "seconds"), [("no-matching-distribution", 3600), ("network-timeout", 60), ("network-unreachable", 15)]
)
def test_a_failure_is_tried_again_when_its_time_is_over(house: House, clock: Clock, code: str, seconds: int) -> None:
    house.resolver.failing = [problem(code, package="polars", reason="x")]
    fails(house, "polars")
    clock.now += seconds - 1
    fails(house, "polars")
    assert resolutions(house) == 1
    house.resolver.failing = []
    clock.now += 1
    key_of(house.environments(), asks("polars"))
    assert resolutions(house) == 2


def test_a_change_of_the_declaration_is_tried_at_once(house: House) -> None:
    fails(house, "polrs")
    key_of(house.environments(), asks("polars"))
    assert resolutions(house) == 2


def test_a_change_of_the_base_is_tried_at_once(house: House) -> None:
    house.resolver.failing = [problem("dependency-conflict", reason="x")]
    fails(house, "altair")
    house.base = base(house.data / "base", pandas="3.2.0")
    house.resolver.failing = []
    key_of(house.environments(), asks("altair"))
    assert resolutions(house) == 2


def test_a_clock_that_is_set_back_makes_no_failure_last(house: House, clock: Clock) -> None:
    house.resolver.failing = [TIMEOUT]
    fails(house, "polars")
    clock.now -= 86_400
    house.resolver.failing = []
    key_of(house.environments(), asks("polars"))


@pytest.mark.parametrize("code", ["disk-full", "permission-denied", "out-of-memory", "os-file-error"])
def test_what_says_nothing_about_the_packages_is_never_remembered(house: House, code: str) -> None:
    found = problem(code, path="/srv", reason="x")
    for failing in ([found], [found, TIMEOUT], [TIMEOUT, found]):
        house.resolver.failing = failing
        before = resolutions(house)
        for _ in range(2):
            assert codes(fails(house, "polars")) == [one.code for one in failing]
        assert resolutions(house) == before + 2


def test_a_warning_beside_an_error_does_not_keep_it_from_being_remembered(house: House) -> None:
    house.resolver.failing = [TIMEOUT, problem("disk-full").as_warning()]
    for _ in range(2):
        fails(house, "polars")
    assert resolutions(house) == 1


@pytest.mark.parametrize(
    "error", [Cancelled(problem("cancelled")), StoreError(problem("store-full", needed="1 GB", free="0 bytes"))]
)
def test_neither_a_cancellation_nor_a_full_store_is_remembered(house: House, error: RectoError) -> None:
    def stop(*_: object) -> None:
        raise error

    house.builder.during = stop
    for _ in range(2):
        assert type(fails(house, "polars")) is type(error)
    assert len(house.builder.orders) == 2


def test_a_bug_is_not_remembered(house: House) -> None:
    def bug(*_: object) -> None:
        raise KeyError("x")

    house.resolver.during = bug
    for _ in range(2):
        with pytest.raises(KeyError):
            house.environments().ensure(asks("polars"), OWN)
    assert resolutions(house) == 2


def test_a_failed_build_is_remembered_for_minutes(house: House, clock: Clock) -> None:
    house.builder.failing = [BROKEN]
    assert isinstance(fails(house, "polars"), BuildError)
    again = fails(house, "polars")
    assert isinstance(again, BuildError)
    assert again.raw == "the installer's text"
    assert (resolutions(house), len(house.builder.orders)) == (1, 1)
    house.builder.failing = []
    clock.now += 600
    key_of(house.environments(), asks("polars"))


def test_a_cap_is_remembered_until_the_policy_changes(house: House, clock: Clock) -> None:
    assert codes(fails(house, "altair", packages_max=1)) == ["cap-packages"]
    clock.now += SECONDS_MAX - 1
    again = fails(house, "altair", packages_max=1)
    assert isinstance(again, Refused)
    assert codes(again) == ["cap-packages", "failure-remembered"]
    assert resolutions(house) == 1
    key_of(house.environments(packages_max=2), asks("altair"))
    assert resolutions(house) == 2


def test_a_cap_says_that_it_counts_until_the_limits_change(house: House) -> None:
    fails(house, "altair", packages_max=1)
    assert "until the limits change" in fails(house, "altair", packages_max=1).problems[-1].message


def test_what_no_cap_decided_does_not_end_with_another_policy(house: House) -> None:
    fails(house, "polrs")
    fails(house, "polrs", packages_max=7)
    assert resolutions(house) == 1


def test_a_check_works_out_the_price_that_a_cap_refused(house: House) -> None:
    fails(house, "altair", packages_max=1)
    environments = house.environments(packages_max=1)
    for _ in range(2):
        checked = environments.check(asks("altair"), OWN)
        assert checked.state == "absent"
        assert checked.plan is not None
        assert [found.code for found in checked.verdict.problems] == ["cap-packages"]
    assert resolutions(house) == 2


def test_a_ready_environment_is_given_whatever_is_remembered(house: House) -> None:
    key = key_of(house.environments(), asks("polars"))
    spec = house.environments().explain(asks("polars")).spec_key
    failing = asks("polrs")
    fails(house, "polrs")
    record = house.data / "v1" / "failures" / f"{house.environments().explain(failing).spec_key}.json"
    record.rename(record.with_name(f"{spec}.json"))
    assert key_of(house.environments(), asks("polars")) == key
    house.store.remove(key)
    assert codes(fails(house, "polars"))[0] == "no-matching-distribution"


def test_a_retry_tries_again_and_what_it_finds_is_remembered_instead(house: House, clock: Clock) -> None:
    house.resolver.failing = [TIMEOUT]
    fails(house, "polars")
    house.resolver.failing = [problem("no-matching-distribution", package="polars")]
    assert codes(fails(house, "polars", retry=True)) == ["no-matching-distribution"]
    assert codes(fails(house, "polars")) == ["no-matching-distribution", "failure-remembered"]
    clock.now += 60
    fails(house, "polars")
    assert resolutions(house) == 2


def test_a_retry_that_fails_for_the_machines_sake_leaves_nothing_remembered(house: House) -> None:
    house.resolver.failing = [TIMEOUT]
    fails(house, "polars")
    house.resolver.failing = [problem("disk-full")]
    fails(house, "polars", retry=True)
    house.resolver.failing = []
    key_of(house.environments(), asks("polars"))


def test_success_clears_what_was_remembered(house: House) -> None:
    house.resolver.failing = [TIMEOUT]
    fails(house, "polars")
    house.resolver.failing = []
    with house.environments().ensure(asks("polars"), OWN, retry=True) as environment:
        assert environment.origin == "built"
        assert environment.key is not None
    house.store.remove(environment.key)
    key_of(house.environments(), asks("polars"))
    assert list((house.data / "v1" / "failures").iterdir()) == []


def test_a_check_shows_what_failed_and_asks_nobody(house: House) -> None:
    fails(house, "polrs")
    for resolve in (True, False):
        checked = house.environments().check(asks("polrs"), OWN, resolve)
        assert checked.state == "failed"
        assert [found.code for found in checked.problems] == ["no-matching-distribution", "failure-remembered"]
    assert resolutions(house) == 1


def test_a_check_remembers_for_the_build_and_tries_again_when_asked(house: House) -> None:
    environments = house.environments()
    for retry, count in ((False, 1), (False, 1), (True, 2)):
        assert environments.check(asks("polrs"), OWN, retry=retry).state == "failed"
        assert resolutions(house) == count
    assert codes(fails(house, "polrs"))[-1] == "failure-remembered"
    house.resolver.available["polrs"] = "1.0"
    assert environments.check(asks("polrs"), OWN, retry=True).state == "absent"
    key_of(environments, asks("polrs"))
    assert resolutions(house) == 3


def test_a_check_shows_a_build_that_failed_beside_the_price(house: House) -> None:
    environments = house.environments()
    environments.check(asks("polars"), OWN)
    house.builder.failing = [BROKEN]
    fails(house, "polars")
    checked = environments.check(asks("polars"), OWN)
    assert checked.state == "failed"
    assert checked.plan is not None
    assert [found.code for found in checked.problems] == ["proof-kernel", "failure-remembered"]
    assert environments.check(asks("polars"), OWN, retry=True).state == "absent"


def test_whoever_may_not_install_is_refused_for_that(house: House) -> None:
    fails(house, "polrs")
    with pytest.raises(Refused) as refused:
        house.environments().ensure(asks("polrs"), Grant("visitor"))
    assert codes(refused.value) == ["install-not-granted"]


def test_an_update_is_always_tried_and_clears_what_was_remembered(house: House) -> None:
    house.resolver.failing = [TIMEOUT]
    fails(house, "polars")
    with pytest.raises(ResolveError):
        house.environments().update(asks("polars"), OWN)
    assert resolutions(house) == 2
    house.resolver.failing = []
    update = house.environments().update(asks("polars"), OWN)
    update.close()
    assert update.environment.key is not None
    house.store.remove(update.environment.key)
    key_of(house.environments(), asks("polars"))


def test_a_failed_first_update_is_remembered(house: House) -> None:
    house.resolver.failing = [TIMEOUT]
    with pytest.raises(ResolveError):
        house.environments().update(asks("polars"), OWN)
    assert codes(fails(house, "polars")) == ["network-timeout", "failure-remembered"]


def test_a_failed_update_withholds_no_answer_that_is_kept(house: House) -> None:
    key = key_of(house.environments(), asks("polars"))
    house.resolver.failing = [TIMEOUT]
    with pytest.raises(ResolveError):
        house.environments().update(asks("polars"), OWN)
    house.store.remove(key)
    assert key_of(house.environments(), asks("polars")) == key


def elsewhere(*places: tuple[str, str, int]) -> Declaration:
    return Declaration(tuple(Declared(Requirement(line), Source(file, n)) for line, file, n in places))


def test_projects_with_one_spec_share_what_failed_and_are_told_of_their_own_lines(house: House) -> None:
    failed = problem("no-matching-distribution", package="polrs", source=Source("requirements.txt", 2))
    fixed = replace(
        failed,
        hint="`polars` is at requirements.txt:1, `polrs` is at requirements.txt:2.",
        fix=Fix("Write `polars`", (Edit("requirements.txt", 2, "polrs", "polars"),)),
    )
    house.resolver.failing = [fixed]
    fails(house, "polars", "polrs")
    lower = elsewhere(("polrs", "requirements.txt", 1), ("polars", "requirements.txt", 12))
    other = elsewhere(("polars", "paper.qmd", 4), ("polrs", "paper.qmd", 5))

    with pytest.raises(ResolveError) as told:
        house.environments().ensure(lower, OWN)
    found = told.value.problems[0]
    assert found.source == Source("requirements.txt", 1)
    assert found.hint == "`polars` is at requirements.txt:12, `polrs` is at requirements.txt:1."
    assert found.fix == Fix("Write `polars`", (Edit("requirements.txt", 1, "polrs", "polars"),))

    (found, _) = house.environments().check(other, OWN).problems
    assert found.source == Source("paper.qmd", 5)
    assert found.hint == "`polars` is at paper.qmd:4, `polrs` is at paper.qmd:5."
    # The line may look otherwise there.
    assert found.fix is None
    assert resolutions(house) == 1


def test_whoever_asks_for_the_very_same_is_told_the_very_same(house: House) -> None:
    insert = Fix("Add `polars`", (Edit("requirements.txt", 9, None, "polars"),))
    found = replace(problem("no-matching-distribution", package="x"), source=Source("pyproject.toml", 3), fix=insert)
    house.resolver.failing = [found]
    fails(house, "polars")
    assert fails(house, "polars").problems[0] == found
    # Elsewhere nobody knows these places.
    with pytest.raises(ResolveError) as failed:
        house.environments().ensure(elsewhere(("polars", "requirements.txt", 7)), OWN)
    assert failed.value.problems[0] == replace(found, source=None, fix=None)


def test_a_line_that_stands_twice_is_told_once_for_each(house: House) -> None:
    first, second = Source("requirements.txt", 1), Source("paper.qmd", 3)
    found = problem("no-matching-version", package="polars", specifier=">9")
    house.resolver.failing = [found.at(first), found.at(second)]
    with pytest.raises(ResolveError):
        house.environments().ensure(elsewhere(("polars", "requirements.txt", 1), ("polars", "paper.qmd", 3)), OWN)
    for places, told in (
        ((("polars", "requirements.txt", 4), ("polars", "paper.qmd", 5)), [4, 5]),
        ((("polars", "requirements.txt", 6),), [6, 6]),
    ):
        with pytest.raises(ResolveError) as failed:
            house.environments().ensure(elsewhere(*places), OWN)
        assert [one.source.line for one in failed.value.problems if one.source] == told


def test_a_credential_in_the_tools_text_is_not_kept_and_a_long_text_is_cut(house: House) -> None:
    def fail(*_: object) -> None:
        secret = "https://me:hunter2hunter2@index.example/simple"
        raise ResolveError(TIMEOUT, raw=f"first {secret}\n" + "x" * 100_000 + f"\nlast {secret}")

    house.resolver.during = fail
    fails(house, "polars")
    (record,) = (house.data / "v1" / "failures").iterdir()
    assert "hunter2" not in record.read_text()
    assert record.stat().st_size < 20_000
    raw = fails(house, "polars").raw
    assert raw.startswith("first https://***@")
    assert raw.endswith("last https://***@index.example/simple")


Spoil = Callable[[dict[str, object]], None]


def _set(name: str, *values: object) -> list[Spoil]:
    def spoils(value: object) -> Spoil:
        return lambda failure: failure.update({name: value})

    return [spoils(value) for value in values]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda failure: failure.clear(),
        *_set("error", *RUBBISH),
        *_set("problems", *RUBBISH, [], [problem("disk-full").as_warning().to_json()]),
        *_set("problems", [{**TIMEOUT.to_json(), "source": {"file": 1}}]),
        *_set("problems", [{**TIMEOUT.to_json(), "fix": {"title": "x", "edits": 1}}]),
        *_set("places", *RUBBISH, [["polars", "requirements.txt", "1"]]),
        *_set("caps", *RUBBISH),
    ],
)
def test_a_record_that_is_no_failure_is_a_miss(house: House, spoil: Spoil) -> None:
    house.resolver.failing = [TIMEOUT]
    fails(house, "polars")
    (path,) = (house.data / "v1" / "failures").iterdir()
    record = json.loads(path.read_text())
    spoil(record["value"]["failure"])
    path.write_text(json.dumps(record))
    house.resolver.failing = []
    key_of(house.environments(), asks("polars"))


def test_a_disk_that_takes_no_failure_hides_none(house: House) -> None:
    (house.data / "v1" / "failures").write_text("a file where a directory should be")
    for _ in range(2):
        assert codes(fails(house, "polrs")) == ["no-matching-distribution"]
    assert resolutions(house) == 2
    key_of(house.environments(), asks("polars"))
    house.store.prune()


def _ensured(environments: Environments, declaration: Declaration, progress: Progress, retry: bool) -> Problems:
    with pytest.raises(ResolveError) as failed:
        environments.ensure(declaration, OWN, progress, retry=retry)
    return failed.value.problems


def _checked(environments: Environments, declaration: Declaration, progress: Progress, retry: bool) -> Problems:
    return environments.check(declaration, OWN, True, progress, retry=retry).problems


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("verbs", [(_ensured, _ensured), (_checked, _checked), (_ensured, _checked)])
def test_a_hundred_requests_of_one_process_make_one_attempt(
    house: House, retry: bool, verbs: tuple[Verb, Verb]
) -> None:
    if retry:
        house.resolver.failing = [TIMEOUT]
        fails(house, "polars")
    before = resolutions(house)
    environments = house.environments()
    here, go = threading.Semaphore(0), threading.Event()
    house.resolver.failing = [problem("no-matching-distribution", package="polars")]
    told: list[str] = []

    def wait(*_: object) -> None:
        go.wait(LONG_SECONDS)

    house.resolver.during = wait

    def ask(number: int) -> None:
        heard: list[Event] = []

        def hear(event: Event) -> None:
            # Each is counted once, or some would come after it is over, which is another attempt.
            if not heard:
                here.release()
            heard.append(event)

        # Half of them have the line elsewhere, so that they meet at the mutex and not in a flight.
        declaration = elsewhere(("polars", "requirements.txt", 1 + number % 2))
        found = verbs[number % 2](environments, declaration, hear, retry)
        told.append(f"{found[0].code} {len(found)}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert here.acquire(timeout=LONG_SECONDS)
    go.set()
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert resolutions(house) == before + 1
    # The fifty of the flight that tried, and the fifty that found out when it was over.
    assert sorted(told) == ["no-matching-distribution 1"] * 50 + ["no-matching-distribution 2"] * 50


def test_every_lifetime_is_that_of_a_code_and_ends() -> None:
    assert LIFETIMES.keys() <= KINDS.keys()
    assert all(0 < one.seconds <= SECONDS_MAX for one in LIFETIMES.values())
    assert all(KINDS[code].group == "policy" for code, one in LIFETIMES.items() if one.under_caps)
    assert {code for code in LIFETIMES if code.startswith("cap-") or code == "size-unknown"} == {
        code for code, one in LIFETIMES.items() if one.under_caps
    }


def test_the_shortest_lifetime_of_several_errors_is_theirs_together() -> None:
    name, cap = problem("no-matching-distribution", package="x"), problem("cap-packages", amount="2", most="1")
    together = lifetime([name, cap, TIMEOUT])
    assert together is not None
    assert (together.seconds, together.under_caps) == (60, True)
    assert lifetime([problem("failure-remembered", age="1 s", until="x")]) is None
    nothing: list[Problem] = []
    assert lifetime(nothing) is None


def test_an_explanation_has_what_is_remembered_until_the_environment_is_there(house: House, clock: Clock) -> None:
    house.resolver.failing = [TIMEOUT]
    with pytest.raises(ResolveError):
        house.environments().ensure(asks("polars"), OWN)
    clock.now += 20
    explained = house.environments().explain(asks("polars"))
    assert explained.state == "failed"
    assert explained.failure is not None
    assert (explained.failure.since, explained.failure.until) == (clock.now - 20, clock.now + 40)
    assert not explained.failure.under_caps
    assert [found.code for found in explained.failure.error.problems] == ["network-timeout", "failure-remembered"]
    assert house.environments().explain(asks("altair")).failure is None
    clock.now += 40
    assert house.environments().explain(asks("polars")).state == "absent"
    house.resolver.failing = []
    key_of(house.environments(), asks("polars"))
    assert (house.environments().explain(asks("polars")).failure, house.environments().explain(asks()).failure) == (
        None,
        None,
    )


def test_the_explanation_of_a_refusal_by_a_cap_ends_with_the_cap(house: House) -> None:
    with pytest.raises(Refused):
        house.environments(packages_max=0).ensure(asks("polars"), OWN)
    explained = house.environments(packages_max=0).explain(asks("polars"))
    assert explained.failure is not None
    assert explained.failure.under_caps
    assert house.environments(packages_max=1).explain(asks("polars")).failure is None
