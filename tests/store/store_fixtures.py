"""Fixtures of the store's tests: a store in a temporary directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from stored import Clock

from recto.store import Options, Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def options() -> Options:
    """Room for everything, and no floor: the volume under test is not ours."""
    return Options(budget_bytes=10_000_000_000, free_floor_bytes=0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data: Path, options: Options, clock: Clock) -> Store:
    return Store.open(data, options, clock)
