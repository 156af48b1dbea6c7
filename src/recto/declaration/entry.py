"""One thing asked for, as it is written, and the edits that would change it."""

from __future__ import annotations

import re

from msgspec import Struct

from recto.declaration.showing import shown, without_credentials
from recto.declaration.text import comment_of
from recto.problems import Edit, Fix, Problem, Source, problem

# What can stand in a YAML or TOML list, bare or in quotes, and mean itself.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]*")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._=+-]")


class Entry(Struct, frozen=True):
    """A requirement's text and the physical lines it stands on, first to last; none where no edit can be offered.

    `alone` says that nothing else stands on those lines. `in_list` says that it is an entry of a YAML or TOML list,
    where not every text means itself and an include has no place.
    """

    text: str
    source: Source
    written: tuple[str, ...] = ()
    alone: bool = True
    in_list: bool = False

    def rewrite(self, title: str, *texts: str) -> Fix | None:
        """The edits that put these texts, one a line, in its place; lines are numbered as they were before any edit."""
        if not self._editable or (self.in_list and not (len(texts) == 1 and _PLAIN.fullmatch(texts[0]))):
            return None
        *before, last = texts
        whole = len(self.written) == 1 and self.written[0].count(self.text) == 1
        if self.in_list and not whole:
            return None
        new = self.written[0].replace(self.text, last) if whole else f"{last}{comment_of(self.written)}"
        first = self._line
        inserted = tuple(Edit(self.source.file, first, None, text) for text in before)
        return Fix(title, (*inserted, Edit(self.source.file, first, self.written[0], new), *self._deletions(1)))

    def amend(self, title: str, text: str) -> Fix | None:
        """The edits that put the text in its place and leave the rest of its line; None where that is not certain.

        Where it is continued over several lines, the text stands on the first of them and the others go; the comment
        at the end stays. In a list, the text may hold no mark that the entry does not hold already: what meant itself
        there still does.
        """
        if len(self.written) > 1:
            return None if self.in_list else self.rewrite(title, text)
        if not self._editable or self.text not in self.written[0]:
            return None
        if self.in_list and not set(_NOT_PLAIN.findall(text)) <= set(self.text):
            return None
        before, _, after = self.written[0].partition(self.text)
        return Fix(title, (Edit(self.source.file, self._line, self.written[0], f"{before}{text}{after}"),))

    def delete(self, title: str = "Delete the line") -> Fix | None:
        """The edits that remove it, from among the others where it shares its line with them; None where not sure."""
        if not self._editable:
            return None
        if self.alone:
            return Fix(title, self._deletions(0))
        left = _without(self.text, self.written[0])
        return (
            Fix(f"Delete `{self.text}`", (Edit(self.source.file, self._line, self.written[0], left),)) if left else None
        )

    def refused(self, code: str, fix: Fix | None = None, package: str | None = None, **facts: str) -> Problem:
        """The problem of this code, placed here."""
        return problem(code, package=package, source=self.source, excerpt=shown(self.text), fix=fix, **facts)

    @property
    def _editable(self) -> bool:
        # An edit quotes the whole line, so a line with a credential gets none.
        return bool(self.written) and all(without_credentials(line) == line for line in self.written)

    @property
    def _line(self) -> int:
        return self.source.line or 1

    def _deletions(self, skip: int) -> tuple[Edit, ...]:
        numbered = enumerate(self.written[skip:], self._line + skip)
        return tuple(Edit(self.source.file, number, line, None) for number, line in numbered)


def _without(text: str, line: str) -> str | None:
    """The line of a YAML or TOML list without this one entry and its comma, None where it does not stand so."""
    entry = rf"(?P<quote>[\"']?){re.escape(text)}(?P=quote)"
    followed = re.compile(rf"(?P<before>(?:^|[\[,])\s*){entry}\s*,\s*")
    last = re.compile(rf",\s*{entry}(?=\s*\])")
    single = re.compile(rf"(?<=\[)\s*{entry}(?=\s*\])")
    for pattern, instead in ((followed, r"\g<before>"), (last, ""), (single, "")):
        left, count = pattern.subn(instead, line)
        if count == 1:
            return left
    return None
