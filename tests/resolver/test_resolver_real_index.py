"""The resolver with the real index, over the curated stack as it was on one day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from packaging.version import Version
from resolving import Bench, from_base, installs, locks

from recto.problems import ResolveError

pytest_plugins = ("resolver_fixtures",)

pytestmark = [pytest.mark.network, pytest.mark.slow]


def test_nothing_of_the_curated_stack_is_installed_again(real: Bench) -> None:
    versions = real.base.identity.distributions
    found = real.resolve("statsmodels", "pandas")
    installed = {item.name for item in found.plan.install}
    assert {"statsmodels", "patsy"} <= installed
    assert {"numpy", "pandas", "scipy"} <= {item.name for item in found.plan.from_base}
    assert installed.isdisjoint(versions)
    assert f"numpy=={versions['numpy']}" in from_base(found)
    assert all(item.download_bytes for item in found.plan.install)
    assert set(locks(found)) == {*installs(found), *from_base(found)}


def test_an_older_numpy_moves_what_needs_the_newer_one(real: Bench) -> None:
    found = real.resolve("numpy<2")
    moved = {item.name: item for item in found.plan.replaces}
    assert Version(moved["numpy"].version) < Version("2") <= Version(moved["numpy"].base)
    warned = {remark.package for remark in found.remarks}
    kept = {name for name in ("pandas", "scipy", "scikit-learn", "matplotlib") if name not in moved}
    # Whatever of the stack was left alone still fits, or is named.
    assert warned <= kept
    assert found.leaned.keys().isdisjoint(moved)


def test_the_render_stack_cannot_be_moved(real: Bench) -> None:
    with pytest.raises(ResolveError) as caught:
        real.resolve("polars", "jupyter-client<7")
    (found,) = caught.value.problems
    assert (found.code, found.package) == ("protected-conflict", "jupyter-client")
    assert found.source is not None
    assert found.source.line == 2


def test_a_cut_off_limits_every_download(real: Bench) -> None:
    found = real.resolve("statsmodels", "polars", as_of=date(2026, 1, 1))
    wheels = [wheel for package in found.lock.packages for wheel in package.wheels or ()]
    assert len(wheels) >= 3
    end = datetime(2026, 1, 2, tzinfo=UTC)
    assert all(wheel.upload_time is not None and wheel.upload_time < end for wheel in wheels)
    assert "numpy" in {item.name for item in found.plan.from_base}


def test_unknown_names_and_impossible_pins_are_told_apart(real: Bench) -> None:
    codes = []
    for line in ("recto-no-such-package-xyz", "polars==99"):
        with pytest.raises(ResolveError) as caught:
            real.resolve(line)
        codes.append(caught.value.problems[0].code)
    assert codes == ["no-matching-distribution", "no-matching-version"]
