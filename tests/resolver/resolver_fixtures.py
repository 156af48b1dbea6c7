"""Fixtures of the resolver room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from curated import make_curated_base
from resolving import Bench, make_base
from uv import find_uv_bin

from conftest import made_once
from loopback_index import LoopbackIndex, serving
from recto.engines.base import RENDER_STACK
from recto.interpreters import Base, probe


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


@pytest.fixture(scope="session")
def curated(shared: Path) -> Base:
    """The curated stack of one day, really installed."""
    return probe(made_once(shared / "curated-of-a-day", make_curated_base) / "bin" / "python")


@pytest.fixture(scope="session")
def real(shared: Path, curated: Base) -> Bench:
    """A bench over the curated stack with the real index and one cache for all tests."""
    return Bench(Path(find_uv_bin()), shared / "real", curated, None, RENDER_STACK)
