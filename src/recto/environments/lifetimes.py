"""Lifetimes: how long a failure is remembered, by its cause.

An editor asks again after every pause in typing, and what failed a moment ago fails again. What is not in the table is
never remembered: it says nothing about what was asked for (a full disk, memory, permissions, the base), somebody wanted
it so (cancelled), or it is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from recto.problems import Problem

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
# What only the operator's caps decide ends when they change. It ends some time all the same: see `store.failures`.
_WEEK = 7 * 24 * _HOUR


class Lifetime(Struct, frozen=True):
    """Seconds, and whether the failure ends before that when the caps of the policy are other ones."""

    seconds: float
    under_caps: bool = False


# The text of the declaration and the base are in the key of what is remembered, so that a change of either asks anew.
# What is left is the index, where a name or a release that was missing may be there an hour later.
_INDEX = Lifetime(_HOUR)

# Whatever answered late, or not as it should, may do better soon; and asking again costs up to the whole time-out.
_SOON = Lifetime(_MINUTE)

# It takes minutes to fail, and what it takes in comes from files that are pinned by their hashes.
_BUILD = Lifetime(10 * _MINUTE)

LIFETIMES: Mapping[str, Lifetime] = {
    "no-matching-distribution": _INDEX,
    "no-matching-version": _INDEX,
    "no-release-yet": _INDEX,
    "requires-python": _INDEX,
    "dependency-conflict": _INDEX,
    "protected-conflict": _INDEX,
    "no-wheel": _INDEX,
    "wheel-unsupported": _INDEX,
    "declaration-lock": _INDEX,
    "network-timeout": _SOON,
    "network-tls": _SOON,
    "index-auth": _SOON,
    "index-error": _SOON,
    # It fails at once, and whoever comes back on line expects that it works.
    "network-unreachable": Lifetime(15.0),
    # Its time is the operator's, but how far one gets in it depends on the hour.
    "cap-resolve-time": Lifetime(_MINUTE, under_caps=True),
    "cap-packages": Lifetime(_WEEK, under_caps=True),
    "cap-download": Lifetime(_WEEK, under_caps=True),
    "cap-installed": Lifetime(_WEEK, under_caps=True),
    "cap-build-time": Lifetime(_HOUR, under_caps=True),
    # The index may tell it the next time.
    "size-unknown": Lifetime(_HOUR, under_caps=True),
    "hash-mismatch": _BUILD,
    # It is fetched again the next time, and mostly arrives.
    "download-corrupt": Lifetime(2 * _MINUTE),
    "build-no-compiler": _BUILD,
    "build-no-rust": _BUILD,
    "build-missing-library": _BUILD,
    "build-script-error": _BUILD,
    "build-compile-error": _BUILD,
    "build-failed-unspecified": _BUILD,
    "build-wheel-refused": _BUILD,
    "resolution-unreadable": _BUILD,
    "proof-kernel": _BUILD,
    # Nobody knows what it was: long enough for a pause in typing, short enough to be of no harm.
    "install-failed": _SOON,
    "cause-unknown": _SOON,
}


def lifetime(problems: Iterable[Problem]) -> Lifetime | None:
    """How long these problems are remembered together: as long as the shortest of their errors, None where one is not.

    None as well where nothing among them is an error.
    """
    found = [LIFETIMES.get(problem.code) for problem in problems if problem.level == "error"]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    return Lifetime(min(one.seconds for one in known), any(one.under_caps for one in known))
