"""What a reader found in a log, and the rules that readers are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from msgspec import Struct, field

from recto.problems.diagnosis.ranks import RANKS, WEAK
from recto.problems.problem import Source

# A rule that matches a thousand times says nothing more than one that matches eight times.
MATCHES_MAX = 8


class Finding(Struct, frozen=True):
    """A cause with its place: `start` to `end` are the characters of the cleaned text that tell it.

    `weak` marks what may be an echo of another cause or a step that was tried again; it comes after the rest.
    """

    code: str
    start: int
    end: int
    package: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None
    weak: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """Sorts causes before consequences, and what was said first before what was said later."""
        return RANKS[self.code] + WEAK * self.weak, self.start


Facts = Mapping[str, str]
Reading = Callable[[re.Match[str], str], Facts | None]


class Rule(Struct, frozen=True):
    """One wording of one tool. Named groups of the pattern become facts; `defaults` are those it may lack.

    `read` may add facts from the text around the match, or return None: the wording is there, the cause is not.
    The pattern starts with a literal or a line's start and repeats only bounded or single classes, so that matching
    takes time linear in the text.
    """

    code: str
    pattern: re.Pattern[str]
    defaults: Facts = field(default_factory=dict)
    read: Reading | None = None
    weak: bool = False

    def findings(self, text: str) -> Iterator[Finding]:
        """The findings of this rule in the text, first to last, at most eight."""
        for match in islice(self.pattern.finditer(text), MATCHES_MAX):
            facts = dict(self.defaults) | {k: v.strip() for k, v in match.groupdict().items() if v}
            if self.read is not None:
                more = self.read(match, text)
                if more is None:
                    continue
                facts |= more
            source = _source(facts.pop("file", None), facts.pop("line_number", None))
            package = facts.pop("package", None)
            yield Finding(self.code, match.start(), match.end(), package, facts, source, self.weak)


def _source(file: str | None, line: str | None) -> Source | None:
    if file is None:
        return None
    return Source(file.replace("\\", "/"), int(line) if line else None)


def wording(text: str) -> re.Pattern[str]:
    """A pattern of words: each space matches any run of white space, because consoles break lines where they like."""
    return re.compile(text.replace(" ", r"\s{1,40}"), re.MULTILINE)
