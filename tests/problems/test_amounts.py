"""Amounts in words."""

from __future__ import annotations

import errno

import pytest

from recto.problems import counted, full_disk, size


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_234_567, "1.2 MB"),
        (999_960, "1 MB"),
        (20_000_000_000, "20 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_one_decimal_place_and_a_unit(count: int, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 packages"), (1, "1 package"), (2, "2 packages")])
def test_counts_agree_with_their_noun(count: int, words: str) -> None:
    assert counted(count, "package") == words


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full")])
def test_a_full_disk_and_a_full_quota_are_told_alike(number: int, code: str) -> None:
    problem = full_disk(OSError(number, "x"))
    assert problem is not None
    assert problem.code == code


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, None])
def test_other_errors_are_no_full_disk(number: int | None) -> None:
    assert full_disk(OSError(number, "x")) is None
