"""What uv only warns of reaches the author, at the line that it is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from resolving import Bench

from loopback_index import LoopbackIndex
from recto.problems import Problem, Source

pytest_plugins = ("resolver_fixtures",)

Make = Callable[..., Bench]


def _told(remarks: tuple[Problem, ...]) -> list[tuple[str, str | None, Source | None]]:
    return [(remark.code, remark.package, remark.source) for remark in remarks]


@pytest.mark.makes("extra-unknown")
def test_an_extra_that_the_release_lacks_is_a_warning_at_its_line(bench: Make, index: LoopbackIndex) -> None:
    index.add("part", "1.0")
    index.add("tool", "1.0", extras=("fast",))
    (remark,) = bench().resolve("part", "tool[fast,Fsat]").remarks
    assert _told((remark,)) == [("extra-unknown", "tool", Source("requirements.txt", 2))]
    assert (remark.level, remark.message) == ("warning", "`tool` 1.0 has no extra `fsat`, so nothing was added for it.")


def test_an_extra_that_a_dependency_asks_for_in_vain_is_not_the_authors(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0", "part[vain]")
    index.add("part", "1.0")
    assert bench().resolve("tool", "part").remarks == ()


@pytest.mark.makes("release-yanked")
@pytest.mark.parametrize(
    ("reason", "words"), [("Loses data.", "who say: Loses data."), ("", "who say: no reason was given.")]
)
def test_a_withdrawn_release_is_a_warning_at_its_line(
    bench: Make, index: LoopbackIndex, reason: str, words: str
) -> None:
    index.add("part", "1.0")
    index.add("tool", "1.0")
    index.withdraw("tool", reason)
    (remark,) = bench().resolve("part", "tool==1.0").remarks
    assert _told((remark,)) == [("release-yanked", "tool", Source("requirements.txt", 2))]
    assert remark.message == f"`tool` 1.0 was withdrawn by its maintainers, {words}"


def test_a_withdrawn_release_that_the_base_has_is_not_installed_and_not_told(bench: Make, index: LoopbackIndex) -> None:
    index.add("tool", "1.0")
    index.withdraw("tool", "Loses data.")
    assert bench("tool==1.0").resolve("tool==1.0").remarks == ()
