"""Invariants: whatever is done in whatever order, a lease is whole, the pinned stay, and nothing is left over."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule
from stored import Clock, key, names, publish, whole

from recto.problems import StoreError
from recto.store import Lease, Options, Store

numbers = st.integers(min_value=1, max_value=4)


class Life(RuleBasedStateMachine):
    """A store beside what it should hold: which environments are there, leased how often, pinned."""

    leases = Bundle[Lease]("leases")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.data = Path(self.directory.name)
        self.clock = Clock()
        self.store = Store.open(self.data, Options(free_floor_bytes=0), self.clock)
        self.there: set[int] = set()
        self.pinned: set[int] = set()
        self.held: dict[int, list[Lease]] = {number: [] for number in range(1, 5)}

    @rule(target=leases, number=numbers)
    def publish(self, number: int) -> Lease:
        return self.publish_one(number)

    @rule(number=numbers)
    def abandon_a_build(self, number: int) -> None:
        with self.store.stage(key(number)) as staging:
            staging.directory.mkdir()

    @rule(target=leases, number=numbers)
    def lease_or_publish(self, number: int) -> Lease:
        lease = self.store.lease(key(number))
        assert isinstance(lease, Lease) == (number in self.there)
        if not isinstance(lease, Lease):
            return self.publish_one(number)
        self.held[number].append(lease)
        return lease

    @rule(lease=consumes(leases))
    def release(self, lease: Lease) -> None:
        lease.close()
        self.held[self.number_of(lease)].remove(lease)

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def pin(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.there)))
        self.store.pin(key(number))
        self.pinned.add(number)

    @rule(number=numbers)
    def unpin(self, number: int) -> None:
        self.store.unpin(key(number))
        self.pinned.discard(number)

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        if number in self.there and not self.held[number]:
            self.store.remove(key(number))
            self.there.discard(number)
            self.pinned.discard(number)
            return
        with pytest.raises(StoreError) as caught:
            self.store.remove(key(number))
        expected = "environment-in-use" if self.held[number] else "environment-unknown"
        assert caught.value.problems[0].code == expected

    @rule()
    def evict_all_that_may_go(self) -> None:
        evicted = {int(str(gone)[:8], 16) for gone in self.store.prune(0).evicted}
        assert evicted == {number for number in self.there if not self.held[number]} - self.pinned
        self.there -= evicted

    @rule(seconds=st.integers(min_value=-100_000, max_value=100_000))
    def move_the_clock(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule()
    def prune_within_the_budget(self) -> None:
        assert self.store.prune().evicted == ()

    @invariant()
    def what_is_leased_is_whole(self) -> None:
        for leases in self.held.values():
            assert all(whole(lease.path) for lease in leases)

    @invariant()
    def the_store_holds_what_it_should(self) -> None:
        entries = {int(str(entry.key)[:8], 16): entry for entry in self.store.environments()}
        assert entries.keys() == self.there
        assert {number for number, entry in entries.items() if entry.pinned} == self.pinned
        in_use = {number for number, entry in entries.items() if entry.in_use}
        assert in_use == {number for number, leases in self.held.items() if leases}

    @invariant()
    def nothing_is_left_over(self) -> None:
        for name in ("staging", "trash", "locks", "reservations"):
            assert names(self.data / "v1" / name) == []

    def teardown(self) -> None:
        for leases in self.held.values():
            for lease in leases:
                lease.close()
        self.store.prune(0)
        self.directory.cleanup()

    def publish_one(self, number: int) -> Lease:
        lease = publish(self.store, number)
        self.there.add(number)
        self.held[number].append(lease)
        return lease

    def number_of(self, lease: Lease) -> int:
        return int(str(lease.key)[:8], 16)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
