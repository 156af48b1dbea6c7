"""Where paths really lead, looked up once for one command."""

from __future__ import annotations

from pathlib import Path


class Real(dict[Path, Path]):
    """The path that each path leads to once all links are followed, as at the first question.

    One for each command: what was judged is then what is shown, also where somebody moves a link meanwhile.
    """

    def __missing__(self, path: Path) -> Path:
        found = path.resolve()
        self[path] = found
        # What has no link in it leads to itself.
        self.setdefault(found, found)
        return found
