"""What uv tells of its search while it searches: the package it looks at, and the packages that fight.

uv writes what its resolver does to stderr where `RUST_LOG` asks for it, some hundred lines a second, which costs
nothing that can be measured. Its wording is not promised: what is not recognised is not watched, and nothing else
depends on it. (uv's crate `uv-resolver`, `resolver/mod.rs`; pubgrub for the terms.)
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

# For `RUST_LOG`: the resolver's own steps, without the lines on every file of an index page.
LOG = "uv_resolver::resolver=debug"
_MARK = "DEBUG "

_SEARCHING = re.compile(r"Searching for a compatible version of (?P<name>[\w.-]+)")
_DIRECT = re.compile(r"Adding direct dependency: (?P<name>[\w.-]+)")
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
        self._direct: set[str] = set()

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
        elif found := _TRANSITIVE.search(text):
            if len(self._parents) < _PARENTS_MAX:
                self._parents[found["name"]].add(found["parent"])
        elif found := _DIRECT.search(text):
            self._direct.add(found["name"])
        return False

    def fighters(self) -> tuple[str, ...]:
        """The packages that most conflicts were between, the one that asks first; none where there was no conflict."""
        most = self._fights.most_common(1)
        if not most:
            return ()
        names = most[0][0]
        return tuple(sorted(names, key=lambda name: not any(name in self._parents[other] for other in names)))

    def asked_for(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the packages asked for that brought these in, themselves included."""
        reached: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += self._parents.get(name, ())
        return frozenset(reached & self._direct)


def without_steps(said: str) -> str:
    """What uv said, without what was only said to be watched."""
    return "".join(line for line in said.splitlines(keepends=True) if not line.startswith(_MARK))
