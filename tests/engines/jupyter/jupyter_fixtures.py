"""The engine that these tests render with, over a real kernel, pandoc and typst."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pypandoc
import pytest

from recto.engines.base import Job, Rendered
from recto.engines.jupyter import JupyterEngine
from recto.interpreters import Base
from recto.progress import Event
from recto.sandbox.none import NoSandbox

Render = Callable[..., Rendered]


@pytest.fixture(scope="session")
def engine() -> JupyterEngine:
    """The built-in engine without a sandbox."""
    return JupyterEngine(NoSandbox(), Path(pypandoc.get_pandoc_path()), Path(sys.executable))


@pytest.fixture
def events() -> list[Event]:
    """What renders of this test reported."""
    return []


@pytest.fixture
def render(engine: JupyterEngine, tmp_path: Path, events: list[Event]) -> Render:
    """Renders a text that needs no kernel, as `paper.qmd` of the project `tmp_path`."""

    def call(text: str | bytes, *formats: str, name: str = "paper.qmd") -> Rendered:
        document = tmp_path / name
        document.write_bytes(text.encode() if isinstance(text, str) else text)
        job = Job(document, tmp_path, Path(sys.executable), Path(sys.prefix), formats)
        return engine.render(job, events.append)

    return call


@pytest.fixture
def run(engine: JupyterEngine, tmp_path: Path, events: list[Event], kernel_base: Base) -> Render:
    """Renders a text with the kernel of the base, as `paper.qmd` of the project `tmp_path`."""

    def call(text: str | bytes, *formats: str, name: str = "paper.qmd", **more: object) -> Rendered:
        document = tmp_path / name
        document.write_bytes(text.encode() if isinstance(text, str) else text)
        fields: dict[str, object] = {"environment": {"PATH": "/usr/bin:/bin"}, **more}
        job = Job(document, tmp_path, kernel_base.python, kernel_base.prefix, formats, **fields)  # type: ignore[arg-type]
        return engine.render(job, events.append)

    return call
