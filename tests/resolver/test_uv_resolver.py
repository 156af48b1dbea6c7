"""The resolver's answers: real uv, a loopback index, bases made of metadata."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from packaging.pylock import Pylock
from resolving import Bench, from_base, installs, locks

from loopback_index import LoopbackIndex
from recto.interpreters import probe
from recto.policy.model import Replaced
from recto.problems import Source

pytest_plugins = ("resolver_fixtures",)

Make = Callable[..., Bench]


def test_only_what_the_base_lacks_is_installed(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "3.1", "numlib>=1")
    found = bench("numlib==1.0").resolve("tool")
    assert installs(found) == ["tool==3.1"]
    assert from_base(found) == ["numlib==1.0"]
    assert locks(found) == ["numlib==1.0", "tool==3.1"]
    assert found.plan.replaces == ()
    assert found.leaned == {"numlib": "1.0"}


@pytest.mark.parametrize("damage", ["{", "[{}]", '[{"name": "a", "version": "x", "requires": {}, "extras": []}]', None])
def test_what_was_read_of_a_base_is_read_anew_where_it_is_damaged(
    damage: str | None, bench: Make, index: LoopbackIndex
) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "1.0", "numlib>=2")
    made = bench("numlib==1.0", "frames==1.0: numlib<2")
    before = made.resolve("tool")
    (kept,) = (made.directory / "cache" / "base-metadata").glob("*/base.json")
    if damage is None:
        kept.unlink()
    else:
        kept.write_text(damage)
    after = made.resolve("tool")
    assert after.remarks == before.remarks
    assert "frames" in after.remarks[0].message


def test_the_usual_answer_takes_one_run_of_uv(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    made = bench("numlib==1.0", "frames==1.0: numlib>=1")
    made.resolve("tool")
    assert len(made.sandbox.commands) == 1


def test_uv_sees_the_index_only_and_no_project(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    made = bench()
    made.resolve("tool")
    command = made.sandbox.commands[0]
    assert command.network == "index"
    assert {"--no-config", "--no-build", "--no-sources"} <= set(command.argv)
    assert command.environment["UV_PYTHON_DOWNLOADS"] == "never"
    assert command.cwd in command.writable
    assert not command.cwd.exists()


def test_the_lock_tells_size_hash_and_upload_time(bench: Make, index: LoopbackIndex) -> None:
    digest = index.add("tool", "1.0", uploaded="2026-02-03T04:05:06Z")
    found = bench().resolve("tool")
    (wheel,) = found.lock.packages[0].wheels or ()
    assert wheel.hashes == {"sha256": digest}
    assert wheel.upload_time == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert wheel.size == len(index.bodies["/files/tool-1.0-py3-none-any.whl"])
    assert found.plan.download_bytes == wheel.size
    assert Pylock.from_dict(found.lock.to_dict()) == found.lock


def test_an_index_without_hashes_still_gives_a_lock_with_them(bench: Make, index: LoopbackIndex) -> None:
    index.with_hashes = False
    digest = index.add("tool", "1.0")
    (wheel,) = bench().resolve("tool").lock.packages[0].wheels or ()
    assert wheel.hashes == {"sha256": digest}


def test_only_the_wheel_that_fits_best_is_locked(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    index.add("tool", "1.0", tag="cp27-cp27m-win32")
    index.add("tool", "1.0", tag="cp311-abi3-manylinux_2_17_x86_64")
    found = bench().resolve("tool")
    (wheel,) = found.lock.packages[0].wheels or ()
    assert wheel.filename == "tool-1.0-cp311-abi3-manylinux_2_17_x86_64.whl"


def test_no_credential_reaches_lock_log_or_arguments(bench: Make, index: LoopbackIndex) -> None:
    index.password = "s3cret-word"
    index.add("tool", "1.0")
    made = bench()
    made.index_url = index.url
    found = made.resolve("tool")
    (wheel,) = found.lock.packages[0].wheels or ()
    assert wheel.url == f"http://127.0.0.1:{index.port}/files/tool-1.0-py3-none-any.whl"
    assert "s3cret-word" not in found.raw
    assert "s3cret-word" not in " ".join(made.sandbox.commands[0].argv)


def test_a_range_moves_just_what_it_names(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("numlib", "3.0")
    found = bench("numlib==2.0", "frames==1.0: numlib", "other==1.0").resolve("numlib<2")
    assert installs(found) == ["numlib==1.0"]
    assert found.plan.replaces == (Replaced("numlib", "2.0", "1.0"),)
    # `frames` still works with it, but the next `frames` might not.
    assert found.leaned == {"frames": "1.0"}
    assert found.remarks == ()


def test_base_packages_that_no_longer_fit_are_pulled_in(bench: Make, index: LoopbackIndex) -> None:
    for version, needs in (("0.9", "numlib<2"), ("1.0", "numlib>=2")):
        index.add("frames", version, needs)
    index.add("numlib", "1.0")
    index.add("plots", "4.5", "frames<1")
    found = bench("numlib==2.0", "frames==1.0: numlib>=2", "plots==5.0: frames>=1").resolve("numlib<2")
    assert installs(found) == ["frames==0.9", "numlib==1.0", "plots==4.5"]
    assert found.remarks == ()


@pytest.mark.makes("base-shadowed")
def test_a_base_package_that_cannot_follow_is_named_at_the_line(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("frames", "0.9", "numlib<2")
    found = bench("numlib==2.0", "frames==1.0: numlib>=2", "homemade==7: numlib>=2").resolve("numlib<2")
    assert installs(found) == ["frames==0.9", "numlib==1.0"]
    (remark,) = found.remarks
    assert (remark.code, remark.level, remark.package) == ("base-shadowed", "warning", "homemade")
    assert remark.source == Source("requirements.txt", 1)
    assert remark.message == "`homemade` of the base needs numlib>=2, and the environment has numlib 1.0."
    assert "`numlib<2`" in remark.hint


def test_what_was_broken_in_the_base_before_is_not_reported(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    assert bench("numlib==2.0", "frames==1.0: numlib>=3").resolve("numlib<2").remarks == ()


def test_an_older_release_is_taken_where_the_newest_would_break_the_base(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "1.0", "numlib")
    index.add("tool", "2.0", "numlib<2")
    found = bench("numlib==2.0", "frames==1.0: numlib>=2").resolve("tool")
    assert installs(found) == ["tool==1.0"]
    # `frames` was only asked for to find that out: it is no part of the answer.
    assert locks(found) == ["numlib==2.0", "tool==1.0"]


def test_a_version_that_only_the_base_has_stays(bench: Make, index: LoopbackIndex) -> None:
    index.add("tensors", "2.13.0", "giant-driver")
    index.add("giant-driver", "1.0")
    index.add("tool", "1.0", "tensors>=2", "homemade")
    found = bench("tensors==2.13.0+cpu", "homemade==0.1.dev3").resolve("tool")
    assert installs(found) == ["tool==1.0"]
    assert from_base(found) == ["homemade==0.1.dev3", "tensors==2.13.0+cpu"]
    assert locks(found) == ["tool==1.0"]
    assert found.leaned == {"homemade": "0.1.dev3", "tensors": "2.13.0+cpu"}


def test_an_extra_of_a_base_package_installs_only_what_it_adds(bench: Make, index: LoopbackIndex) -> None:
    index.add("frames", "1.0", "heavy; extra == 'speed'", extras=("speed",))
    index.add("fast", "1.0")
    found = bench("frames==1.0: fast; extra == 'speed'").resolve("frames[speed]")
    assert (installs(found), from_base(found)) == (["fast==1.0"], ["frames==1.0"])


def test_a_pre_release_of_the_base_stays(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("tool", "1.0", "numlib>=1")
    found = bench("numlib==2.0rc1").resolve("tool")
    assert (installs(found), from_base(found)) == (["tool==1.0"], ["numlib==2.0rc1"])


@pytest.mark.parametrize(("day", "version"), [(14, "1.0"), (15, "2.0"), (16, "3.0")])
def test_the_cut_off_includes_its_whole_utc_day(bench: Make, index: LoopbackIndex, day: int, version: str) -> None:
    index.add("tool", "1.0", uploaded="2026-01-01T00:00:00Z")
    index.add("tool", "2.0", uploaded="2026-01-15T23:59:59Z")
    index.add("tool", "3.0", uploaded="2026-01-16T00:00:00Z")
    made = bench()
    made.environment = {**made.environment, "TZ": "Pacific/Kiritimati"}
    assert installs(made.resolve("tool", as_of=date(2026, 1, day))) == [f"tool=={version}"]


def test_the_cut_off_binds_downloads_and_not_what_the_base_has(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0", uploaded="2025-01-01T00:00:00Z")
    index.add("numlib", "2.0", uploaded="2026-06-01T00:00:00Z")
    index.add("tool", "1.0", "numlib", uploaded="2025-01-01T00:00:00Z")
    index.add("tool", "2.0", "numlib", uploaded="2026-06-01T00:00:00Z")
    found = bench("numlib==2.0").resolve("tool", as_of=date(2026, 1, 1))
    assert (installs(found), from_base(found)) == (["tool==1.0"], ["numlib==2.0"])
    moved = bench("numlib==3.0").resolve("numlib<3", as_of=date(2026, 1, 1))
    assert installs(moved) == ["numlib==1.0"]


def test_extras_markers_and_constraints_are_honoured(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0", "fast>=1; extra == 'speed'", extras=("speed",))
    index.add("tool", "2.0", "fast>=1; extra == 'speed'", extras=("speed",))
    index.add("fast", "1.5")
    index.add("fast", "1.9")
    asked = ("tool[Speed] ", 'winonly; sys_platform == "win32"', 'fast ; python_version > "3"')
    found = bench().resolve(*asked, constraints=("fast<1.9", "unused==1"))
    assert installs(found) == ["fast==1.5", "tool==2.0"]


def test_the_last_lock_is_kept_until_an_upgrade(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    made = bench()
    first = made.resolve("tool")
    index.add("tool", "2.0")
    (made.directory / "cache" / "uv").rename(made.directory / "old-pages")
    assert installs(made.resolve("tool", preferred=first.lock)) == ["tool==1.0"]
    assert installs(made.resolve("tool", preferred=first.lock, upgrade=True)) == ["tool==2.0"]


def test_the_base_wins_over_the_last_lock(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    made = bench("numlib==2.0")
    last = made.resolve("numlib<2")
    assert installs(made.resolve("numlib", preferred=last.lock)) == []


def test_protected_packages_stay_and_are_leaned_on(bench: Make, index: LoopbackIndex) -> None:
    index.add("kernel", "8.0")
    index.add("widgets", "1.0", "kernel>=6")
    index.add("widgets", "2.0", "kernel>=8")
    found = bench("kernel==7.0", "client==1.0", protected=("Kernel", "client", "absent")).resolve("widgets")
    assert installs(found) == ["widgets==1.0"]
    assert found.leaned == {"client": "1.0", "kernel": "7.0"}


def test_what_a_protected_package_needs_holds_too(bench: Make, index: LoopbackIndex) -> None:
    index.add("traits", "4.0")
    index.add("widgets", "1.0")
    index.add("widgets", "2.0", "traits<5")
    found = bench("kernel==7.0: traits>=5", "traits==5.1", protected=("kernel",)).resolve("widgets")
    assert installs(found) == ["widgets==1.0"]


def test_a_required_hash_chooses_the_file(bench: Make, index: LoopbackIndex) -> None:
    pure = index.add("tool", "1.0")
    index.add("tool", "1.0", tag="cp311-abi3-manylinux_2_17_x86_64")
    found = bench().resolve("tool==1.0", hashes={"tool": ("sha256:" + "0" * 64, f"sha256:{pure.upper()}")})
    (wheel,) = found.lock.packages[0].wheels or ()
    assert wheel.filename == "tool-1.0-py3-none-any.whl"


def test_progress_tells_the_start_and_the_number_found(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0", "part")
    index.add("part", "1.0")
    made = bench()
    made.resolve("tool")
    assert [(event.event, event.done) for event in made.events] == [("resolving", 0), ("resolving", 2)]


def test_the_base_is_described_once_for_all_resolutions(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    made = bench("numlib==1.0", "frames==1.0: numlib @ file:///gone | not a requirement")
    made.resolve("tool")
    made.resolve("tool")
    (folder,) = (made.directory / "cache" / "base-metadata").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        "base.json",
        "frames-1.0-0base-py3-none-any.whl",
        "numlib-1.0-0base-py3-none-any.whl",
    ]


def test_older_forms_of_metadata_are_read_too(bench: Make, index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    made = bench("numlib==2.0")
    site = made.base.site_packages[0]
    (site / "flat-1.0.egg-info").write_text("Metadata-Version: 1.1\nName: flat\nVersion: 1.0\n\nName: not this\n")
    (site / "eggs-1.0.egg-info").mkdir()
    (site / "eggs-1.0.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1.1\nName: eggs\nVersion: 1.0\n")
    (site / "eggs-1.0.egg-info" / "requires.txt").write_text("numlib>=2\n")
    made.base = probe(made.base.python)
    found = made.resolve("numlib<2", "flat")
    assert from_base(found) == ["flat==1.0"]
    assert [remark.package for remark in found.remarks] == ["eggs"]


def test_a_base_that_has_everything_gives_an_empty_lock(bench: Make, index: LoopbackIndex) -> None:
    found = bench("numlib==1.0").resolve("numlib", "winonly; sys_platform == 'win32'")
    assert (installs(found), locks(found), from_base(found)) == ([], [], ["numlib==1.0"])
    assert Pylock.from_dict(found.lock.to_dict()) == found.lock


def test_a_declaration_for_other_machines_only_gives_nothing(bench: Make) -> None:
    found = bench("numlib==1.0").resolve("winonly; sys_platform == 'win32'")
    assert (installs(found), from_base(found)) == ([], [])
