"""pandoc in its own sandbox mode inside of ours: it reads what it is given and opens nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recto.engines.jupyter.commands import Access, Commands
from recto.problems import EngineError, problem
from recto.problems.diagnosis import clean, decode
from recto.sandbox.beneath import Beneath, why

TREE_BYTES_MAX = 500_000_000
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}


class Pandoc:
    """Conversions of one render, in a directory of its own."""

    def __init__(self, executable: Path, commands: Commands, directory: Path) -> None:
        self._executable = executable
        self._commands = commands
        self._directory = directory

    def tree(self, text: str, reader: str) -> dict[str, Any]:
        """The document tree of this text."""
        source, target = self._directory / "read.txt", self._directory / "read.json"
        # Half a character, as a notebook or a cell may have it, is written as `?`: no encoding has one.
        source.write_text(text, encoding="utf-8", errors="replace")
        self._run(("-f", reader, "-t", "json", str(source), "-o", str(target)))
        try:
            with Beneath(self._directory, private=True) as directory:
                tree = json.loads(directory.read(target.name, TREE_BYTES_MAX))
        except OSError as error:
            raise EngineError(problem("render-failed", reason=f"pandoc gave no document: {why(error)}")) from error
        except ValueError as error:
            raise EngineError(problem("render-failed", reason=f"pandoc gave no document: {error}")) from error
        except RecursionError as error:
            raise too_deep() from error
        if not isinstance(tree, dict):
            raise EngineError(problem("render-failed", reason="pandoc gave no document"))
        return tree

    def write(
        self, tree: Mapping[str, Any], writer: str, target: Path, *options: str, files: tuple[Path, ...] = ()
    ) -> None:
        """Writes the tree in this format; `files` are those that the options name."""
        source = self._directory / "write.json"
        source.write_text(json.dumps(tree), encoding="utf-8")
        self._run(("-f", "json", "-t", writer, "--standalone", *options, str(source), "-o", str(target)), files)

    def _run(self, arguments: tuple[str, ...], files: tuple[Path, ...] = ()) -> None:
        argv = (str(self._executable), "--sandbox", *arguments)
        access = Access((self._executable.resolve(), *files), (self._directory,))
        outcome = self._commands.run(argv, self._directory, {**_ENVIRONMENT, "HOME": str(self._directory)}, access)
        if not outcome.succeeded:
            said = clean(decode(outcome.stderr)).strip()
            reason = said.splitlines()[-1] if said else f"pandoc ended with status {outcome.code}"
            raise EngineError(problem("render-failed", reason=reason.rstrip("."), excerpt=said[:2000]), raw=said)


def too_deep() -> EngineError:
    """The error for a document whose lists or quotes lie so deep in each other that its tree cannot be walked."""
    return EngineError(problem("render-failed", reason="lists or quotes are nested too deeply"))
