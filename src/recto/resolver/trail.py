"""What uv weighed until its time was over, read from the log of its resolver.

The log is uv's own (`RUST_LOG`, seen with uv 0.13.9) and no promise of its makers: where its wording changes, nothing
is read from it. Writing it costs 2 ms of a run of 50.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from packaging.utils import NormalizedName, canonicalize_name

LOG = {"RUST_LOG": "uv_resolver::resolver=debug"}

_LINE = re.compile(r"^(?:TRACE|DEBUG|INFO) .*\n?", re.MULTILINE)
_CONFLICT = re.compile(
    r"^DEBUG Recording (?:dependency|unit propagation) conflict of \S+ from incompatibility of \(([^()\n]{1,500})\)",
    re.MULTILINE,
)
_DEPENDENCY = re.compile(r"^DEBUG Adding transitive dependency for ([\w.-]+)[^:\n]*: ([\w.-]+)", re.MULTILINE)


def without_log(said: str) -> str:
    """What uv said to people."""
    return _LINE.sub("", said)


def fighting(log: str, declared: Collection[NormalizedName]) -> tuple[NormalizedName, ...]:
    """The two of the `declared` names that stood against each other most often; none where the log has no such pair.

    A package that nobody declared counts for those who brought it in.
    """
    above = _above(log)
    pairs: Counter[tuple[NormalizedName, ...]] = Counter()
    for names, count in Counter(_CONFLICT.findall(log)).items():
        packages = dict.fromkeys(canonicalize_name(name) for name in re.findall(r"[\w.-]+", names))
        responsible = dict.fromkeys(one for name in packages for one in _declared(name, declared, above))
        if len(responsible) > 1:
            pairs[tuple(responsible)[:2]] += count
    return pairs.most_common(1)[0][0] if pairs else ()


def _above(log: str) -> dict[NormalizedName, set[NormalizedName]]:
    """By package those that need it."""
    found: dict[NormalizedName, set[NormalizedName]] = defaultdict(set)
    for package, needed in _DEPENDENCY.findall(log):
        found[canonicalize_name(needed)].add(canonicalize_name(package))
    return found


def _declared(
    name: NormalizedName, declared: Collection[NormalizedName], above: dict[NormalizedName, set[NormalizedName]]
) -> Iterator[NormalizedName]:
    """The name where it is declared, else the nearest declared ones above it."""
    row, seen = {name}, {name}
    while row:
        found = sorted(row & set(declared))
        if found:
            yield from found
            return
        row = {one for lower in row for one in above.get(lower, ())} - seen
        seen |= row
