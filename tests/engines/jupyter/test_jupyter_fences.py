"""Where fenced blocks begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.engines.jupyter.fences import Fenced, Prose, fence_for, spans
from recto.engines.jupyter.front_matter import split_front_matter

pytest_plugins = ("jupyter_fixtures",)

PIECES = st.sampled_from(
    [
        "```",
        "````",
        "~~~",
        "`",
        "{python}",
        "{r}",
        "\n",
        "\r\n",
        "\n\n",
        " ",
        "    ",
        "x = 1",
        "#| echo: false",
        "---",
        "\u2028",
        "é",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join))


def languages(text: str) -> list[str | None]:
    return [span.language for span in spans(text) if isinstance(span, Fenced)]


@given(TEXTS)
def test_the_spans_of_any_text_are_the_text(text: str) -> None:
    assert "".join(span.source for span in spans(text)) == text


@given(TEXTS)
def test_every_span_begins_on_the_line_it_names(text: str) -> None:
    at = 1
    for span in spans(text):
        assert span.line == at
        at += span.source.count("\n")


@given(TEXTS)
def test_front_matter_and_the_rest_are_the_text(text: str) -> None:
    parts = split_front_matter(text)
    assert parts.front + parts.rest == text
    assert parts.front.count("\n") in (parts.lines, parts.lines - 1, 0)


@given(st.text(alphabet="`\nab "))
def test_no_code_ends_the_fence_made_for_it(code: str) -> None:
    fence = fence_for(code)
    (block,) = spans(f"{fence}\n{code}\n{fence}\n")
    assert isinstance(block, Fenced)
    assert block.body == f"{code}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```{python}\n1\n```\n", ["python"]),
        ("``` {python}\n1\n```\n", ["python"]),
        ("```{python, echo=FALSE}\n1\n```\n", ["python"]),
        ("```{Python}\n1\n```\n", ["python"]),
        ("   ```{python}\n1\n   ```\n", ["python"]),
        ("    ```{python}\n1\n    ```\n", []),
        ("~~~{python}\n1\n~~~\n", ["python"]),
        ("```{r}\n1\n```\n```{ojs}\n2\n```\n", ["r", "ojs"]),
        ("```python\n1\n```\n", [None]),
        ("```{.python}\n1\n```\n", [None]),
        ("```{=html}\n<b>\n```\n", [None]),
        ("```{{python}}\n1\n```\n", [None]),
        ("````markdown\n```{python}\n1\n```\n````\n", [None]),
        ("~~~\n```{python}\n```\n~~~\n", [None]),
        ("````{python}\ns = '''\n```\n'''\n````\n", ["python"]),
        ("```{python}\n~~~\n1\n```\n", ["python"]),
        ("text ```{python}\n", []),
        ("``{python}\n1\n``\n", []),
    ],
)
def test_only_code_in_braces_at_the_outermost_level_is_a_cell(text: str, expected: list[str | None]) -> None:
    assert languages(text) == expected


def test_a_block_holds_its_body_without_fences() -> None:
    prose, block, rest = spans("one\n\n```{python}\nx = 1\ny = 2\n```\ntwo\n")
    assert isinstance(block, Fenced)
    assert (block.body, block.line, block.closed) == ("x = 1\ny = 2\n", 3, True)
    assert (prose, rest) == (Prose("one\n\n", 1), Prose("two\n", 7))


def test_a_block_that_nothing_closes_reaches_to_the_end() -> None:
    (block,) = spans("```{python}\nx = 1\n")
    assert isinstance(block, Fenced)
    assert (block.body, block.closed) == ("x = 1\n", False)


@pytest.mark.parametrize(
    ("text", "front"),
    [
        ("---\ntitle: A\n---\nText\n", "---\ntitle: A\n---\n"),
        ("---\ntitle: A\n...\nText\n", "---\ntitle: A\n...\n"),
        ("---\r\ntitle: A\r\n---\r\nText\r\n", "---\r\ntitle: A\r\n---\r\n"),
        ("---\n\nA rule.\n\n---\n", ""),
        ("---\ntitle: never closed\n", ""),
        ("Text\n---\ntitle: A\n---\n", ""),
    ],
)
def test_front_matter_stands_at_the_start(text: str, front: str) -> None:
    assert split_front_matter(text).front == front
