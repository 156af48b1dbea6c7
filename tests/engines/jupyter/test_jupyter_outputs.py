"""What cells show, for each kind of output."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.engines.base import Rendered
from recto.engines.jupyter.assembly import INTERACTIVE, PLOTLY, Assembly, Target
from recto.engines.jupyter.execution import Execution
from recto.engines.jupyter.markdown_reader import read_markdown
from recto.engines.jupyter.media import Image, ImageMissing, ImageRemote, Media
from recto.engines.jupyter.outputs import Output, outputs, plain

pytest_plugins = ("jupyter_fixtures",)

PNG = base64.b64encode(b"\x89PNG fake").decode()
TABLE = "<table><tr><th>name</th></tr><tr><td>Adelie</td></tr></table>"


def shown(data: Mapping[str, str], target: Target = "html", options: str = "", pixels: int = 0) -> str:
    """The Markdown of a cell that displays this."""
    document = read_markdown(f"```{{python}}\n#| echo: false\n{options}1\n```\n", "a.qmd")
    execution = Execution(shown={0: (Output("display", data=data, pixels=pixels),)})
    return Assembly(document, execution, Media(Path(), Path()), target).markdown()


@pytest.mark.parametrize(
    ("target", "data", "part"),
    [
        ("html", {"text/html": TABLE, "text/plain": "plain"}, TABLE),
        ("html", {"image/png": PNG, "image/svg+xml": "<svg/>"}, "![](recto:0)"),
        ("html", {"text/markdown": "**b**", "text/plain": "plain"}, "**b**"),
        ("html", {"text/latex": "$x$", "text/plain": "plain"}, "\n$x$\n"),
        ("html", {"text/latex": "\\begin{matrix}\\end{matrix}"}, "$$\\begin{matrix}"),
        ("html", {"text/plain": "plain"}, "\nplain\n"),
        ("html", {"image/png": "not base64!", "text/plain": "plain"}, "\nplain\n"),
        ("html", {"application/x-unknown": "x", "text/plain": "plain"}, "\nplain\n"),
        ("docx", {"text/html": TABLE, "text/plain": "plain"}, f"<!-- recto -->{TABLE}"),
        ("docx", {"text/html": "<script>1</script>", "text/plain": "plain"}, "\nplain\n"),
        ("docx", {"image/svg+xml": "<svg/>", "text/plain": "plain"}, "\nplain\n"),
        ("pdf", {"image/png": PNG, "image/svg+xml": "<svg/>"}, "![](recto:0)"),
        ("pdf", {PLOTLY: "{}"}, INTERACTIVE),
    ],
)
def test_each_target_shows_what_it_shows_best(target: Target, data: Mapping[str, str], part: str) -> None:
    assert part in shown(data, target)


def test_what_stands_for_an_object_is_shown_only_alone() -> None:
    assert "object" not in shown({"text/html": "<script>", "text/plain": "<a.B object at 0x1f>"}, "pdf")
    assert "object" in shown({"text/plain": "<a.B object at 0x1f>"}, "pdf")


def test_a_plotly_figure_cannot_end_its_script() -> None:
    data = json.dumps({"data": [{"name": "</script><b>"}], "layout": {}})
    assert "</script><b>" not in shown({PLOTLY: data})
    assert "Plotly.newPlot('chart-1'" in shown({PLOTLY: data})


def test_a_figure_has_caption_label_width_and_words_for_those_who_cannot_see_it() -> None:
    options = '#| label: fig-a\n#| fig-cap: A caption\n#| fig-alt: Say "this"\n'
    text = shown({"image/png": PNG}, options=options, pixels=300)
    assert "{.recto-figure #fig-a}" in text
    assert "\nA caption\n" in text
    assert """{alt="Say 'this'" width="300px"}""" in text


def test_no_output_ends_the_block_it_is_shown_in() -> None:
    assert "\n``````\na\n`````\nb\n``````\n" in shown({"text/plain": "a\n`````\nb"})


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("10%\r50%\r100%\ndone", "100%\ndone"),
        ("a\r\nb", "a\nb"),
        ("bell\x07\x00", "bell"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_terminal_codes_are_gone(text: str, seen: str) -> None:
    assert plain(text) == seen


@given(st.text())
def test_plain_text_has_no_escape_left(text: str) -> None:
    assert "\x1b" not in plain(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["output_type", "data", "text", "name"]), inner),
)


@given(JSON)
def test_any_json_is_read_as_outputs(value: object) -> None:
    assert all(isinstance(output, Output) for output in outputs(value))


def test_streams_that_follow_each_other_are_one() -> None:
    def stream(name: str, text: str) -> dict[str, str]:
        return {"output_type": "stream", "name": name, "text": text}

    found = outputs([stream("stdout", "a"), stream("stdout", "b"), stream("stderr", "c"), stream("stdout", "d")])
    assert [(output.kind, output.text) for output in found] == [("stdout", "ab"), ("stderr", "c"), ("stdout", "d")]


@pytest.mark.parametrize("address", ["data:text/html,x", "data:image/png;base64,%", "none.png", "\0.png", "recto:7"])
def test_an_address_without_an_image_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(ImageMissing):
        Media(tmp_path, tmp_path).image(address)


@pytest.mark.parametrize("address", ["http://a/b.png", "HTTPS://a/b.png", "//a/b.png", "ftp://a/b.png"])
def test_an_address_on_another_machine_is_not_followed(tmp_path: Path, address: str) -> None:
    with pytest.raises(ImageRemote):
        Media(tmp_path, tmp_path).image(address)


def test_images_are_found_by_name_and_by_their_quoted_name(tmp_path: Path) -> None:
    (tmp_path / "my map.png").write_bytes(b"x")
    media = Media(tmp_path, tmp_path)
    assert media.image("my%20map.png") == media.image("my map.png") == Image("image/png", b"x")
    assert media.image("data:image/png;base64,eA==") == Image("image/png", b"x")


RICH = """# Rich

```{python}
#| echo: false
from IPython.display import HTML, Markdown, SVG, Image, display
import base64
head = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
pixel = base64.b64decode(head + "AAAADUlEQVR42mNkYPj/HwADBwIAMCbHYQAAAABJRU5ErkJggg==")
display(HTML("<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>Adelie</td></tr></tbody></table>"))
display(Markdown("**strong** words"))
display({PLOTLY: {"data": [], "layout": {}}}, raw=True)
```

```{python}
#| label: fig-dot
#| fig-cap: A dot.
Image(pixel)
```

@fig-dot
"""


@pytest.mark.network
def test_one_run_gives_a_page_a_word_document_and_a_pdf(run: Callable[..., Rendered], tmp_path: Path) -> None:
    text = RICH.replace("PLOTLY", repr(PLOTLY)).replace(
        "# Rich", "# Rich\n\n```{python}\nopen('runs', 'a').write('x')\n```"
    )
    assert run(text, "html", "docx", "pdf").status == "success"
    assert (tmp_path / "runs").read_text() == "x"
    html = (tmp_path / "paper.html").read_text()
    assert "<td>Adelie</td>" in html
    assert 'src="data:image/png;base64,' in html
    assert "Plotly.newPlot('chart-1', {}, {}" in html
    with zipfile.ZipFile(tmp_path / "paper.docx") as archive:
        body = archive.read("word/document.xml").decode()
        assert any(name.startswith("word/media/") for name in archive.namelist())
    assert (body.count("<w:tbl>"), "Adelie" in body, "strong" in body) == (1, True, True)
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF-")
