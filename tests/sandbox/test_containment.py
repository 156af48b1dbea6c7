"""What is said of the containment of several commands together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recto.sandbox.base import Tier
from recto.sandbox.containment import Containment

TIERS: tuple[Tier, ...] = ("cgroup-v2", "cgroup-v1", "filesystem", "watched", "process", "none")
LIMITS = st.dictionaries(st.sampled_from(["memory", "processes", "cpus", "disk"]), st.sampled_from(TIERS))


@given(LIMITS, LIMITS)
def test_of_two_commands_the_less_exact_tier_is_said(one: dict[str, Tier], other: dict[str, Tier]) -> None:
    both = Containment("bubblewrap", one).beside(Containment("bubblewrap", other))

    assert both.limits.keys() == one.keys() | other.keys()
    for name, tier in both.limits.items():
        given = [limits[name] for limits in (one, other) if name in limits]
        assert tier in given
        assert TIERS.index(tier) == max(TIERS.index(one) for one in given)
    assert both.limits == Containment("bubblewrap", other).beside(Containment("bubblewrap", one)).limits


def test_one_line_says_it() -> None:
    contained = Containment("landlock", {"memory": "process", "disk": "watched"})

    assert contained.beside(None).words == "landlock; memory: process; disk: watched"
