"""What uv tells of its search while it searches: the package it looks at, and the packages that fight.

uv writes what its resolver does to stderr where `RUST_LOG` asks for it, some hundred lines a second, which costs
nothing that can be measured. Its wording is not promised: what is not recognised is not watched, and nothing else
depends on it. (uv's crate `uv-resolver`, `resolver/mod.rs`; pubgrub for the terms.)
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection

# For `RUST_LOG`: the resolver's own steps, without the lines on every file of an index page.
LOG = "uv_resolver::resolver=debug"
_MARK = "DEBUG "

_SEARCHING = re.compile(r"Searching for a compatible version of (?P<name>[\w.-]+)")
_TRANSITIVE = re.compile(r"Adding transitive dependency for (?P<parent>[\w.-]+)==[^:]+: (?P<name>[\w.-]+)")
_CONFLICT = re.compile(
    r"Recording [a-z ]{1,40} conflict of .{1,200} from incompatibility of \((?P<names>[^()]{1,400})\)"
)
# A long search adds millions of edges, of few packages.
_PARENTS_MAX = 10_000


class Watch:
    """One request's searches, heard line by line."""

    def __init__(self) -> None:
        self.looks = 0
        self.package = ""
        self._fights: Counter[tuple[str, ...]] = Counter()
        self._parents: dict[str, set[str]] = defaultdict(set)

    def hear(self, line: bytes) -> bool:
        """Takes a line of stderr; whether uv began to look at another candidate."""
        text = line.decode("utf-8", "replace")
        if not text.startswith(_MARK):
            return False
        if found := _SEARCHING.search(text):
            self.looks += 1
            self.package = found["name"]
            return True
        if found := _CONFLICT.search(text):
            names = tuple(sorted(name.strip() for name in found["names"].split(",")))
            if len(names) > 1:
                self._fights[names] += 1
        elif (found := _TRANSITIVE.search(text)) and len(self._parents) < _PARENTS_MAX:
            self._parents[found["name"]].add(found["parent"])
        return False

    def fighting(self, declared: Collection[str]) -> tuple[str, ...]:
        """The two of the `declared` names that stood against each other most often; none where there is no such pair.

        Names are normalised. A package that nobody declared counts for those who brought it in.
        """
        pairs: Counter[tuple[str, ...]] = Counter()
        for names, count in self._fights.items():
            responsible = dict.fromkeys(one for name in names for one in self._responsible(name, declared))
            if len(responsible) > 1:
                pairs[tuple(responsible)[:2]] += count
        return pairs.most_common(1)[0][0] if pairs else ()

    def _responsible(self, name: str, declared: Collection[str]) -> list[str]:
        """The name where it is declared, else the nearest declared ones that need it."""
        row, seen = {name}, {name}
        while row:
            found = sorted(row & set(declared))
            if found:
                return found
            row = {one for lower in row for one in self._parents.get(lower, ())} - seen
            seen |= row
        return []


def without_steps(said: str) -> str:
    """What uv said, without what was only said to be watched."""
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith(_MARK))
