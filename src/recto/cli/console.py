"""What a person or a program reads: data on standard output, talk on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TextIO

from msgspec import Struct

from recto.problems import Problem

_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "info": "\x1b[1;34m", "hint": "\x1b[36m", "fix": "\x1b[32m"}
_RESET = "\x1b[0m"


class Console(Struct, frozen=True):
    """The two streams. `colour` is whether the talk may be coloured; meaning never depends on it."""

    out: TextIO
    err: TextIO
    colour: bool = False

    @property
    def watched(self) -> bool:
        """Whether a person watches the talk, so that a line may be drawn over."""
        return self.err.isatty()

    def data(self, text: str) -> None:
        """One line of the result."""
        self.out.write(text + "\n")

    def json(self, value: Mapping[str, object]) -> None:
        """The result as one JSON object, in JSON's own escapes where the stream is not UTF-8."""
        encoding = (self.out.encoding or "").lower().replace("-", "")
        self.data(json.dumps(value, indent=2, ensure_ascii=encoding != "utf8"))

    def file(self, text: str) -> None:
        """The result as a whole file: UTF-8 whatever the stream's encoding, not a character added or changed."""
        self.out.flush()
        self.out.buffer.write(text.encode())

    def say(self, text: str) -> None:
        """One line of talk."""
        self.err.write(text + "\n")
        self.err.flush()

    def problems(self, problems: Iterable[Problem]) -> None:
        """Each problem once: what, where, then the hint and the edit that mends it."""
        for problem in dict.fromkeys(problems):
            # Late, as most commands have nothing to tell.
            from recto.problems.forms.terminal import terminal_lines

            for line in terminal_lines(problem, self._painted):
                self.say(line)

    def _painted(self, word: str) -> str:
        return f"{_COLOURS[word]}{word}{_RESET}" if self.colour else word


def standard_console() -> Console:
    """The console of this process."""
    from recto.settings import colour_wanted

    return Console(sys.stdout, sys.stderr, colour=sys.stderr.isatty() and colour_wanted())
