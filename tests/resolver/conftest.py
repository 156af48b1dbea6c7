"""Fixtures of the resolver room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, serving
from resolving import Bench, make_base
from uv import find_uv_bin


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """An empty index on the loopback."""
    with serving(LoopbackIndex()) as served:
        yield served


@pytest.fixture
def bench(tmp_path: Path, index: LoopbackIndex) -> Callable[..., Bench]:
    """Makes a bench over a base of these distributions, with the loopback index."""

    def make(*distributions: str, protected: tuple[str, ...] = ()) -> Bench:
        base = make_base(tmp_path / "base", *distributions)
        return Bench(Path(find_uv_bin()), tmp_path, base, index.url, protected)

    return make
