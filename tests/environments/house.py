"""What the tests of environments share: a real store under a resolver and a builder that are fakes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from packaging.requirements import Requirement

from fakes import FakeBuilder, FakeFinisher, FakeResolver, base
from recto.declaration.model import Declaration, Declared
from recto.environments import Environments, Options
from recto.environments.finishing import Finishing
from recto.interpreters import Base
from recto.keys import EnvironmentKey
from recto.policy import Grant, Policy
from recto.problems import Source
from recto.store import Store

OWN = Grant.own()


def asks(*lines: str) -> Declaration:
    return Declaration(
        tuple(Declared(Requirement(line), Source("requirements.txt", n)) for n, line in enumerate(lines, 1)),
        sources=("requirements.txt",),
    )


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class House:
    """Environments over a store in a temporary directory, with everything that the tests look at."""

    def __init__(self, data: Path, clock: Callable[[], float] = time.time) -> None:
        self.resolver = FakeResolver(
            {"polars": "2.1.0", "altair": "6.0", "narwhals": "2.29.0", "pandas": "3.1.1"},
            {"altair": ("narwhals", "pandas")},
        )
        self.builder = FakeBuilder()
        self.base: Base = base(data / "base", pandas="3.1.1", numpy="2.4.6")
        self.store = Store.open(data, clock=clock)
        self.data = data
        self.finisher = FakeFinisher()
        self.called: list[str] = []

    def environments(self, **policy: object) -> Environments:
        rules = replace(Policy(installing=True), **policy)
        call = partial(self.called.append, "finish")
        return Environments(self.store, self.resolver, self.builder, lambda: self.base, Options(rules), call)

    @property
    def finishing(self) -> Finishing:
        return Finishing(self.store, self.finisher, lambda python: self.base)

    def published(self) -> list[EnvironmentKey]:
        return [entry.key for entry in self.store.environments()]

    def leftovers(self) -> list[Path]:
        buckets = ("staging", "trash", "reservations", "locks")
        return [path for name in buckets for path in (self.data / "v1" / name).iterdir()]


def key_of(environments: Environments, declaration: Declaration, grant: Grant = OWN) -> EnvironmentKey:
    with environments.ensure(declaration, grant) as environment:
        assert environment.key is not None
        return environment.key
