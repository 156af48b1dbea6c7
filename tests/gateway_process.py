"""`recto gateway` as a process, and the installers that go through it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commandline import Recto


@dataclass(frozen=True)
class Gateway:
    """A gateway that said where it listens: an address without a path, or that of its socket."""

    process: subprocess.Popen[str]
    said: str
    address: str

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it said since it listened on both of its streams."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


@contextmanager
def gateway(recto: Recto, *arguments: object, **variables: str) -> Iterator[Gateway]:
    """A gateway that listens, at a port of its own if nothing else is said; killed at the end where it still runs."""
    process = recto.start("gateway", *(arguments or ("--port", 0)), **variables)
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r" at (\S+?)(?:/simple/)?; end with Ctrl-C\.$", said)
        assert found, said + process.stderr.read()
        yield Gateway(process, said, found[1])
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Installer:
    """A real uv or pip, which knows no index but the one that it is told."""

    argv: tuple[str | Path, ...]
    environment: Mapping[str, str]

    def __call__(self, index: str, target: Path, *words: str) -> tuple[list[str], str]:
        """What it put into the directory, as `name-version`, and what it said; nothing where it failed."""
        argv = (*self.argv, "--index-url", index, "--no-deps", "--target", target, *words)
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        found = sorted(path.name.removesuffix(".dist-info") for path in target.glob("*.dist-info"))
        assert bool(found) == (done.returncode == 0), done.stderr
        return found, done.stdout + done.stderr


def uv_installer(uv: Path, environment: Mapping[str, str]) -> Installer:
    """The uv that comes with Recto, for the interpreter of the tests."""
    argv: tuple[Any, ...] = (uv, "pip", "install", "--no-config", "--no-cache", "--python", sys.executable)
    return Installer(argv, environment)


def pip_installer(python: Path, environment: Mapping[str, str]) -> Installer:
    """The pip of this interpreter."""
    argv: tuple[Any, ...] = (python, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "install")
    return Installer((*argv, "--no-compile"), {**environment, "PIP_CONFIG_FILE": "/dev/null"})
