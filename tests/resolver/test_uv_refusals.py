"""The resolver's refusals: each a problem at the line that caused it, and nothing left behind."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version
from resolving import Bench, declared

from loopback_index import LoopbackIndex
from recto.problems import BaseError, Cancelled, Problem, ResolveError, Source
from recto.resolver import Request
from recto.resolver.locking import locked
from recto.sandbox.base import Outcome

pytest_plugins = ("resolver_fixtures",)

Make = Callable[..., Bench]


def _refusal(made: Bench, *lines: str, **asked: Any) -> Problem:
    with pytest.raises(ResolveError) as caught:
        made.resolve(*lines, **asked)
    return caught.value.problems[0]


@pytest.mark.makes("no-matching-distribution")
def test_an_unknown_name_is_named_at_its_line(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    found = _refusal(bench(), "tool", "Pandsa")
    assert (found.code, found.source) == ("no-matching-distribution", Source("requirements.txt", 2))


@pytest.mark.makes("no-matching-version")
def test_an_impossible_pin_tells_the_newest_release(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    index.add("tool", "2.0")
    found = _refusal(bench("tool==0.5"), "tool==99")
    assert (found.code, found.source) == ("no-matching-version", Source("requirements.txt", 1))
    assert found.message == "No release of `tool` satisfies `==99`."
    assert found.hint.endswith("The newest that can be installed here is 2.0.")


@pytest.mark.makes("no-release-yet")
def test_a_package_younger_than_the_cut_off_is_told_with_the_day(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0", uploaded="2026-01-15T12:00:00Z")
    found = _refusal(bench(), "part; python_version < '3'", "tool", as_of=date(2026, 1, 1))
    assert (found.code, found.package, found.source) == ("no-release-yet", "tool", Source("requirements.txt", 2))
    assert "by 2026-01-01" in found.message


def test_extras_do_not_hide_which_package_is_unknown_and_which_is_only_too_young(
    bench: Make, index: LoopbackIndex
) -> None:
    index.add("tool", "1.0", extras=("fast",), uploaded="2026-01-15T12:00:00Z")
    young = _refusal(bench(), "tool[fast]", as_of=date(2026, 1, 1))
    unknown = [
        _refusal(bench(), line, as_of=day)
        for line in ("pandsa[fast]", "pandsa[fast]==2")
        for day in (None, date(2026, 1, 1))
    ]
    assert (young.code, young.package) == ("no-release-yet", "tool")
    assert {(found.code, found.package) for found in unknown} == {("no-matching-distribution", "pandsa")}


def test_the_newest_release_by_the_cut_off_is_told_with_the_day(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0", uploaded="2026-01-01T12:00:00Z")
    index.add("tool", "2.0", uploaded="2026-01-15T12:00:00Z")
    found = _refusal(bench(), "tool>=2", as_of=date(2026, 1, 2))
    assert found.code == "no-matching-version"
    assert found.hint.endswith("The newest that can be installed here by 2026-01-02 is 1.0.")


@pytest.mark.makes("dependency-conflict")
def test_two_lines_that_clash_are_both_named(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "1.0", "numlib>=2")
    found = _refusal(bench(), "other-comment-line; python_version < '3'", "tool", "numlib<2")
    assert found.code == "dependency-conflict"
    assert found.source in (Source("requirements.txt", 2), Source("requirements.txt", 3))
    assert "`tool` is at requirements.txt:2, `numlib<2` is at requirements.txt:3." in found.hint


def test_a_missing_dependency_is_placed_at_the_line_that_needs_it(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0", "vanished")
    found = _refusal(bench(), "tool")
    assert (found.code, found.package, found.source) == (
        "no-matching-distribution",
        "vanished",
        Source("requirements.txt", 1),
    )


@pytest.mark.makes("no-wheel")
def test_source_only_packages_have_no_wheel(bench: Make, index: LoopbackIndex) -> None:
    index.add_source("soundlib", "1.0")
    found = _refusal(bench(), "soundlib")
    assert (found.code, found.source) == ("no-wheel", Source("requirements.txt", 1))


def test_a_release_without_a_wheel_is_told_apart_from_its_package(bench: Make, index: LoopbackIndex) -> None:
    index.add_source("soundlib", "1.0")
    index.add("soundlib", "2.0")
    found = _refusal(bench(), "soundlib==1.0")
    assert (found.code, found.package) == ("no-wheel", "soundlib")
    assert found.message.startswith("`soundlib==1.0` has no ready-made wheel")
    assert found.hint.endswith("The newest that can be installed here is 2.0.")


@pytest.mark.makes("wheel-unsupported")
def test_wheels_for_other_platforms_do_not_fit(bench: Make, index: LoopbackIndex) -> None:
    index.add("winlib", "1.0", tag="cp311-cp311-win_amd64")
    found = _refusal(bench(), "winlib==1.0")
    assert (found.code, found.package, found.source) == (
        "wheel-unsupported",
        "winlib",
        Source("requirements.txt", 1),
    )


@pytest.mark.makes("requires-python")
def test_a_package_for_another_python_says_which(bench: Make, index: LoopbackIndex) -> None:
    index.add("future", "1.0", python=">=3.99")
    found = _refusal(bench(), "future")
    assert (found.code, found.source) == ("requires-python", Source("requirements.txt", 1))
    assert ">=3.99" in found.message


def test_a_project_for_another_python_is_refused_before_uv_runs(bench: Make) -> None:
    made = bench()
    with pytest.raises(BaseError) as caught:
        made.resolve("tool", python=">=3.99")
    (found,) = caught.value.problems
    assert (found.code, found.source) == ("requires-python-unmet", Source("doc.qmd", 3))
    assert made.sandbox.commands == []


@pytest.mark.makes("protected-conflict")
def test_a_range_against_a_protected_package_is_refused(bench: Make, index: LoopbackIndex) -> None:
    index.add("kernel", "5.0")
    found = _refusal(bench("kernel==7.0", protected=("kernel",)), "kernel<6")
    assert (found.code, found.package, found.source) == (
        "protected-conflict",
        "kernel",
        Source("requirements.txt", 1),
    )
    assert "the base has kernel 7.0" in found.message
    assert "version 7.0" in found.hint


def test_a_range_against_what_a_protected_package_needs_is_refused(bench: Make, index: LoopbackIndex) -> None:
    index.add("traits", "4.0")
    made = bench("kernel==7.0: traits>=5", "traits==5.1", protected=("kernel",))
    found = _refusal(made, "traits<5")
    assert (found.code, found.source) == ("protected-conflict", Source("requirements.txt", 1))
    assert "kernel 7.0 of the base needs traits>=5" in found.message
    assert "version 5.1" in found.hint


def test_a_dependency_against_a_protected_package_names_the_line(bench: Make, index: LoopbackIndex) -> None:
    index.add("widgets", "2.0", "kernel>=8")
    index.add("kernel", "8.0")
    found = _refusal(bench("kernel==7.0", protected=("kernel",)), "widgets")
    assert (found.code, found.package, found.source) == (
        "protected-conflict",
        "widgets",
        Source("requirements.txt", 1),
    )
    assert "version 7.0 of `kernel`" in found.hint


def test_a_wrong_hash_is_refused_at_its_line(bench: Make, index: LoopbackIndex) -> None:
    index.add("part", "1.0")
    index.add("tool", "1.0")
    found = _refusal(bench(), "part", "tool==1.0", hashes={"tool": ("sha256:" + "0" * 64,)})
    assert (found.code, found.package, found.source) == ("hash-mismatch", "tool", Source("requirements.txt", 2))


def test_a_lock_without_sha256_is_refused(bench: Make) -> None:
    wheel = PackageWheel(url="https://index.example/tool-1.0-py3-none-any.whl", hashes={"sha512": "0" * 128})
    package = Package(name=canonicalize_name("tool"), version=Version("1.0"), wheels=[wheel])
    lock = Pylock(lock_version=Version("1.0"), created_by="a test", packages=[package])
    with pytest.raises(ResolveError) as caught:
        locked(lock, bench().base, {})
    assert [(found.code, found.package) for found in caught.value.problems] == [("index-error", "tool")]


@pytest.mark.makes("index-auth")
def test_wrong_credentials_are_told_without_showing_them(bench: Make, index: LoopbackIndex) -> None:
    index.password = "right"
    index.add("tool", "1.0")
    made = bench()
    made.index_url = index.url.replace("right", "wr0ng-word")
    with pytest.raises(ResolveError) as caught:
        made.resolve("tool")
    # Neither at a line of the author's, nor with the claim that there is no such package.
    assert [(found.code, found.source) for found in caught.value.problems] == [("index-auth", None)]
    assert "wr0ng-word" not in caught.value.raw


@pytest.mark.makes("network-unreachable")
def test_an_unreachable_index_leaves_nothing_behind(
    bench: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bench()
    made.index_url = "http://127.0.0.1:9/simple/"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assert _refusal(made, "tool").code == "network-unreachable"
    assert list(scratch.iterdir()) == []


class _Mute:
    """A server that accepts and never answers; `reached` is set at the first connection."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self._held: list[socket.socket] = []

    def __enter__(self) -> _Mute:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for held in (*self._held, self._listener):
            held.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/simple/"

    def _accept(self) -> None:
        try:
            while True:
                self._held.append(self._listener.accept()[0])
                self.reached.set()
        except OSError:
            return  # the listener was shut down: the test is over


@pytest.mark.makes("cap-resolve-time")
def test_a_mute_index_is_given_up_when_the_time_is_over(bench: Make) -> None:
    made = bench()
    with _Mute() as mute:
        made.index_url = mute.url
        with pytest.raises(ResolveError) as caught:
            made.answer(Request(declared("tool"), made.base, seconds_max=0.5))
    (found,) = caught.value.problems
    assert found.code == "cap-resolve-time"
    assert "0.5 s" in found.message


def test_the_lines_that_fight_until_the_time_is_over_are_named(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "1.0", "endless")
    for version in range(2, 9):
        index.add("tool", f"{version}.0", "middle>=2")
    index.add("middle", "2.0", "numlib>=2")
    index.add("other", "1.0")
    index.mute.add("endless")
    made = bench()
    with pytest.raises(ResolveError) as caught:
        made.answer(Request(declared("other", "tool", "numlib<2"), made.base, seconds_max=2))
    (found,) = caught.value.problems
    assert (found.code, found.source) == ("cap-resolve-time", Source("requirements.txt", 3))
    assert found.hint.endswith("`tool` is at requirements.txt:2, `numlib<2` is at requirements.txt:3.")
    assert "DEBUG" not in caught.value.raw


def test_a_resolver_that_is_killed_for_memory_says_nothing_about_packages(bench: Make, index: LoopbackIndex) -> None:
    made = bench()
    made.sandbox.refused = lambda command: "compile" in command.argv
    made.sandbox.refusal = Outcome(-9, "exited", b"", b"", 1.0, memory_kills=1)
    assert _refusal(made, "tool").code == "out-of-memory"


@pytest.mark.makes("cancelled")
def test_a_resolution_can_be_cancelled_while_it_waits(bench: Make) -> None:
    made = bench()
    with _Mute() as mute:
        made.index_url = mute.url
        with pytest.raises(Cancelled) as caught:
            made.answer(Request(declared("tool"), made.base), mute.reached.is_set)
    assert caught.value.problems[0].code == "cancelled"
