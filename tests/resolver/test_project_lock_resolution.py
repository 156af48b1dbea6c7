"""A project's own lock: installed exactly, judged for this base, never resolved."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from packaging.pylock import Pylock
from resolving import Bench, from_base, installs

from recto.policy.model import Replaced
from recto.problems import BaseError, Problem, ResolveError, Source

pytest_plugins = ("resolver_fixtures",)

Make = Callable[..., Bench]


def _wheel(name: str, version: str, tag: str = "py3-none-any") -> dict[str, object]:
    url = f"https://user:pw@files.example/{name}-{version}-{tag}.whl"
    return {"url": url, "size": 1000, "hashes": {"sha256": "a" * 64}}


def _package(name: str, version: str, *tags: str, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "version": version,
        "wheels": [_wheel(name, version, tag) for tag in tags or ("py3-none-any",)],
        **more,
    }


def _lock(*packages: dict[str, object], **more: object) -> Pylock:
    return Pylock.from_dict({"lock-version": "1.0", "created-by": "a test", "packages": list(packages), **more})


def _refusals(made: Bench, lock: Pylock) -> tuple[Problem, ...]:
    with pytest.raises(ResolveError) as caught:
        made.resolve(lock=lock)
    return caught.value.problems


def test_all_of_it_is_installed_even_what_the_base_has(bench: Make) -> None:
    made = bench("numlib==1.0", "frames==1.0: numlib", "other==1.0", protected=("other",))
    found = made.resolve(lock=_lock(_package("numlib", "1.0"), _package("tool", "2.0")))
    assert installs(found) == ["numlib==1.0", "tool==2.0"]
    assert from_base(found) == []
    assert found.plan.replaces == ()
    assert found.plan.download_bytes == 2000
    assert found.leaned == {"other": "1.0"}
    assert made.sandbox.commands == []


def test_one_fitting_wheel_a_package_stays_and_no_credential(bench: Make) -> None:
    package = _package("tool", "1.0", "py3-none-any", "cp311-abi3-manylinux_2_17_x86_64", "cp311-cp311-win_amd64")
    (kept,) = bench().resolve(lock=_lock(package)).lock.packages
    (wheel,) = kept.wheels or ()
    assert wheel.url == "https://files.example/tool-1.0-cp311-abi3-manylinux_2_17_x86_64.whl"


def test_packages_for_other_machines_are_left_out(bench: Make) -> None:
    lock = _lock(_package("tool", "1.0"), _package("winlib", "1.0", marker="sys_platform == 'win32'"))
    assert installs(bench().resolve(lock=lock)) == ["tool==1.0"]


def test_what_it_replaces_is_told_and_what_it_breaks_is_warned_about(bench: Make) -> None:
    made = bench("numlib==2.0", "frames==1.0: numlib>=2")
    found = made.resolve(lock=_lock(_package("numlib", "1.0")))
    assert found.plan.replaces == (Replaced("numlib", "2.0", "1.0"),)
    assert [(one.code, one.package, one.source) for one in found.remarks] == [
        ("base-shadowed", "frames", Source("pylock.toml"))
    ]


def test_a_lock_for_another_python_is_refused(bench: Make) -> None:
    with pytest.raises(BaseError) as caught:
        bench().resolve(lock=_lock(**{"requires-python": ">=3.99"}))
    (found,) = caught.value.problems
    assert (found.code, found.source) == ("requires-python-unmet", Source("pylock.toml"))


def test_a_lock_for_another_environment_is_refused(bench: Make) -> None:
    (found,) = _refusals(bench(), _lock(environments=["sys_platform == 'win32'"]))
    assert (found.code, found.source) == ("declaration-lock", Source("pylock.toml"))


def test_a_package_locked_twice_for_this_environment_is_refused(bench: Make) -> None:
    (found,) = _refusals(bench(), _lock(_package("tool", "1.0"), _package("tool", "2.0")))
    assert found.code == "declaration-lock"


def test_everything_that_cannot_be_installed_is_told_at_once(bench: Make) -> None:
    source = {"url": "https://files.example/old-1.tar.gz", "hashes": {"sha256": "b" * 64}}
    lock = _lock(
        _package("winlib", "1.0", "cp311-cp311-win_amd64"),
        {"name": "old", "version": "1", "sdist": source},
        _package("kernel", "8.0"),
    )
    found = _refusals(bench("kernel==7.0", protected=("kernel",)), lock)
    assert [(one.code, one.package, one.source) for one in found] == [
        ("wheel-unsupported", "winlib", Source("pylock.toml")),
        ("no-wheel", "old", Source("pylock.toml")),
        ("protected-conflict", "kernel", Source("pylock.toml")),
    ]


def test_a_lock_that_breaks_what_runs_the_document_is_refused(bench: Make) -> None:
    made = bench("kernel==7.0: traits>=5", "traits==5.0", protected=("kernel",))
    (found,) = _refusals(made, _lock(_package("traits", "4.0")))
    assert (found.code, found.source) == ("protected-conflict", Source("pylock.toml"))


def test_protected_packages_may_be_locked_at_the_version_of_the_base(bench: Make) -> None:
    made = bench("kernel==7.0", protected=("kernel",))
    assert installs(made.resolve(lock=_lock(_package("kernel", "7.0")))) == ["kernel==7.0"]
