"""Which versions of which projects a list of requirements names: what `allow` and `deny` are written in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from packaging.specifiers import SpecifierSet
from packaging.version import Version

# By normalised name, the ranges of which any may hold. The empty one holds for every version.
Ranges = Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=8192)  # a page has many files of each version, and a comparison takes 10 µs
def among(ranges: tuple[str, ...], version: Version) -> bool:
    """Whether any of the ranges has the version, pre-releases as well."""
    return any(_set(text).contains(version, prereleases=True) for text in ranges)


@lru_cache(maxsize=1024)
def _set(text: str) -> SpecifierSet:
    return SpecifierSet(text)
