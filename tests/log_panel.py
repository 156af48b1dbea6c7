"""A model of the reader in an Overleaf front end that turns an `output.log` into entries: what it does, as a program.

A line of exactly 79 UTF-16 units is glued to the next one. The first line is skipped. `! words` and
`/path:N: words` (or `./path`) begin an error, which takes all lines up to one that begins with `l.N` and then those up
to a second blank one. `LaTeX Warning:` is a warning of one line, of the file whose parenthesis was opened last;
`Package X Warning:` is one up to a blank line. The last `:N: ` of an error's line ends its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 1024 * 1024
_ERROR_AT = re.compile(r"(?P<file>[./][^\n\u2028\u2029]*):(?P<line>[0-9]+): (?P<words>[^\n\u2028\u2029]*)")
_WARNING = re.compile(r"LaTeX(?:3| Font)? Warning: (?P<words>[^\n\u2028\u2029]*)$")
_PACKAGE_WARNING = re.compile(r"(?:Package|Class|Module) [^\n]+ Warning:")
_BOX = re.compile(r"(?:Over|Under)full \\[vh]box")
_AT_LINE = re.compile(r"lines? ([0-9]+)")
_BLANK = re.compile(r" *$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the panel; `file` as the front end shows it, without the compile directory."""

    level: str
    file: str | None
    line: int | None
    message: str
    content: str = ""


def entries(text: str) -> list[Entry]:
    """The entries of the log, in order, of what is fetched of it; those that read the same once."""
    fetched = text.encode()[:MAX_BYTES].decode(errors="ignore")
    return list(dict.fromkeys(_Reader(_joined(fetched)).entries()))


def _joined(text: str) -> list[str]:
    lines: list[str] = []
    glue = False
    for line in re.split(r"\r\n|\r|\n", text):
        if glue and not line.startswith("!"):
            lines[-1] += line
        else:
            lines.append(line)
        glue = len(line.encode("utf-16-le", "surrogatepass")) == 2 * 79 and not line.endswith("...")
    return lines


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = iter(lines[1:])
        self._file: str | None = None

    def entries(self) -> Iterator[Entry]:
        for line in self._lines:
            at = _ERROR_AT.match(line)
            warning = _WARNING.match(line)
            if line.startswith("!"):
                yield self._error(self._file, None, line[2:])
            elif at:
                yield self._error(at["file"], int(at["line"]), at["words"])
            elif line.startswith("Runaway argument"):
                yield Entry("error", _shown(self._file), None, line, self._up_to(_BLANK) + self._up_to(_BLANK))
            elif warning:
                yield Entry("warning", _shown(self._file), _line_in(warning["words"]), warning["words"].rstrip())
            elif _BOX.match(line):
                yield Entry("typesetting", _shown(self._file), _line_in(line), line)
            elif _PACKAGE_WARNING.match(line):
                words = line + " " + self._up_to(_BLANK)
                yield Entry("warning", _shown(self._file), _line_in(words), words.rstrip())
            else:
                self._parentheses(line)

    def _error(self, file: str | None, line: int | None, words: str) -> Entry:
        content = self._up_to(re.compile(r"l\.[0-9]+")) + self._up_to(_BLANK) + self._up_to(_BLANK)
        return Entry("error", _shown(file), line, words.rstrip(), content)

    def _up_to(self, last: re.Pattern[str]) -> str:
        taken = []
        for line in self._lines:
            taken.append(line)
            if last.match(line):
                break
        return "\n".join(taken) + "\n"

    def _parentheses(self, line: str) -> None:
        """Opening ones with a path name a file; closing ones are of no account where each warning opens its own."""
        for opened in line.split("(")[1:]:
            path = opened
            for end in ')[]"':
                path = path.partition(end)[0]
            words = path.split(" ")
            # A name with an extension ends at a space.
            ends = next((place for place, word in enumerate(words, 1) if "." in word.rpartition("/")[2]), len(words))
            path = " ".join(words[:ends]).rstrip()
            if "/" in path and "\\" not in path:
                self._file = path


def _shown(file: str | None) -> str | None:
    return None if file is None else file.removeprefix("/compile/")


def _line_in(words: str) -> int | None:
    at = _AT_LINE.search(words)
    return int(at[1]) if at else None
