"""Results that cells tampered with: whatever the runner's file and lines hold, the render ends in a status and words.

What stands in for the interpreter writes what each case says in the place of the runner, and ends well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pypandoc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recto.engines.base import Job, Rendered
from recto.engines.jupyter import JupyterEngine
from recto.engines.jupyter.result import parsed
from recto.progress import Event
from recto.sandbox.none import NoSandbox

DOCUMENT = "Text `{python} 1`.\n\n```{python}\n1\n```\n"
Write = Callable[..., Rendered]
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def render(tmp_path: Path, events: list[Event]) -> Write:
    """Renders the document where the runner leaves these bytes as its result and says these lines."""

    def call(result: bytes, lines: bytes = b"") -> Rendered:
        project, prefix = tmp_path / "project", tmp_path / "prefix"
        project.mkdir()
        (prefix / "bin").mkdir(parents=True)
        (prefix / "result").write_bytes(result)
        (prefix / "lines").write_bytes(lines)
        python = prefix / "bin" / "python"
        python.write_text(f'#!/bin/sh\ncat "{prefix}/lines"\ncat "{prefix}/result" > "$4"\n')
        python.chmod(0o755)
        (project / "paper.qmd").write_text(DOCUMENT)
        engine = JupyterEngine(NoSandbox(), Path(pypandoc.get_pandoc_path()), Path(sys.executable))
        return engine.render(Job(project / "paper.qmd", project, python, prefix, ("html",)), events.append)

    return call


def result(tmp_path: Path, outputs: object = (), values: object = ({"text": "1"},), **more: object) -> bytes:
    """A result of the right shape in the environment of these tests."""
    items = [{"values": values}, {"outputs": outputs}]
    return json.dumps({"prefix": str(tmp_path / "prefix"), "items": items, "failure": None, **more}).encode()


def test_the_right_shape_is_rendered(render: Write, tmp_path: Path) -> None:
    shown = [{"output_type": "stream", "name": "stdout", "text": "shown here\n"}]

    rendered = render(result(tmp_path, shown))

    assert (rendered.status, rendered.problems) == ("success", ())
    assert "shown here" in (tmp_path / "project" / "paper.html").read_text()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"null",
        b"[]",
        b"NaN",
        b"\xff\xfe\xfa",
        b'{"items": 1}',
        b'{"items": [1]}',
        b'{"items": ["outputs"]}',
        b'{"items": [{"outputs": {}}]}',
        b'{"items": [{"values": 5}]}',
        b'{"items": [{"values": [5]}]}',
        b'{"items": [{"values": [{"markdown": []}]}]}',
        b'{"prefix": 1}',
        b'{"prefix": "\\u0000"}',
        b'{"prefix": "\\ud800"}',
        b'{"failure": []}',
        b'{"failure": {"kind": 1}}',
        b'{"failure": {"kind": "error", "item": 1e400}}',
        b'{"failure": {"kind": "error", "item": ' + b"9" * 5000 + b"}}",
        b'{"failure": {"kind": "error", "error": 1}}',
        b'{"failure": {"kind": "lacking", "names": [1]}}',
        DEEP.encode(),
        b'{"items": ' + DEEP.encode() + b"}",
        b'{"items": [{"outputs": [' + b"1," * 2_000_000,
    ],
    ids=lambda said: said[:60].decode("latin-1"),
)
def test_a_wrong_shape_is_a_problem(render: Write, said: bytes) -> None:
    rendered = render(said)

    assert rendered.status == "failure"
    assert [found.code for found in rendered.problems] == ["render-failed"]
    assert rendered.outputs == ()


@pytest.mark.parametrize(
    "failure",
    [
        {"kind": "error", "item": 1, "error": {"ename": [1], "evalue": {"a": 1}, "traceback": 3}},
        {"kind": "error", "item": 1, "facts": {"kinds": "ImportError", "name": {}, "line": 1e300, "file": "\0"}},
        {"kind": "error", "item": 1, "facts": {"kinds": ["ModuleNotFoundError"], "name": "\ud800"}},
        {"kind": "error", "item": 0, "facts": {"expression": [[[]]]}},
        {"kind": "error", "item": -5, "facts": {"kinds": ["FileNotFoundError"], "file": "x" * 1_000_000}},
        {"kind": "died", "item": 1, "facts": {"signal": "9"}},
        {"kind": "died", "item": 10**30, "facts": {"signal": -(10**30)}},
        {"kind": "nothing that is known", "item": None},
        {"kind": "lacking", "names": ["\ud800"]},
        {"kind": "timeout", "item": True},
    ],
    ids=str,
)
def test_a_failure_of_any_words_is_told(render: Write, tmp_path: Path, failure: dict[str, object]) -> None:
    rendered = render(result(tmp_path, failure=failure))

    assert rendered.status == "failure"
    assert len(rendered.problems) == 1
    assert rendered.problems[0].message


@pytest.mark.parametrize(
    "shown",
    [
        [1, None, [], "text", {}],
        [{"output_type": "stream", "name": [], "text": {"a": 1}}],
        [{"output_type": "error", "traceback": [1, None, {}]}],
        [{"output_type": "stream", "text": json.loads("[" * 600 + "]" * 600)}],
        [{"output_type": "display_data", "data": {"text/plain": {"a": json.loads("[" * 600 + "]" * 600)}}}],
        [{"output_type": "display_data", "data": {"image/png": "no such characters \0"}}],
        [{"output_type": "display_data", "data": {"image/svg+xml": 5, "text/plain": [1, [2]]}}],
        [{"output_type": "display_data", "data": {"text/html": "<b>", "image/png": {}}, "metadata": []}],
        [{"output_type": "display_data", "data": {"image/png": "aa"}, "metadata": {"image/png": {"width": 1e999}}}],
        [{"output_type": "display_data", "data": {"application/vnd.plotly.v1+json": [1]}}],
        [{"output_type": "display_data", "data": {"application/vnd.plotly.v1+json": "1"}}],
        [{"output_type": "display_data", "data": {"application/vnd.plotly.v1+json": {"data": float("nan")}}}],
        [{"output_type": "stream", "text": "half a character: \ud83d"}],
        [{"output_type": "execute_result", "data": {"text/markdown": "half: \udc80", "text/latex": "\udc80"}}],
    ],
    ids=lambda shown: str(shown)[:80],
)
def test_outputs_of_any_shape_end_in_a_page_or_in_words(render: Write, tmp_path: Path, shown: list[object]) -> None:
    rendered = render(result(tmp_path, shown))

    assert rendered.status == "success" or [found.code for found in rendered.problems] == ["render-failed"]


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 60_000,
        b'{"done": Infinity, "total": 1}',
        b'{"done": NaN, "total": 1}',
        b'{"done": 1e400, "total": 1}',
        b'{"done": -1, "total": 1}',
        b'{"done": 2, "total": 1}',
        b'{"done": true, "total": true}',
        b'{"done": "1", "total": "1"}',
        b'{"done": 1, "total": 99999999999999999999}',
        b'{"done": [], "total": {}}',
        b'"done"',
        b"\xff\xfe",
        b"7" * 3_000_000,
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_a_line_that_is_no_progress_is_passed_over(
    render: Write, tmp_path: Path, events: list[Event], line: bytes
) -> None:
    rendered = render(result(tmp_path), b'{"done": 0, "total": 1}\n' + line + b'\n{"done": 1, "total": 1}\n')

    assert rendered.status == "success"
    assert [(event.done, event.total) for event in events if event.event == "executing"] == [(0, 1), (1, 1)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["items", "outputs", "values", "failure", "kind", "text", "prefix"]), inner)
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(JSON | st.fixed_dictionaries({"items": JSON, "failure": JSON}))
def test_anything_is_a_result_or_a_value_error(value: object) -> None:
    try:
        found = parsed(json.dumps(value).encode())
    except ValueError:
        return
    assert isinstance(value, dict)
    assert len(found.items) == len(value.get("items", ()))
