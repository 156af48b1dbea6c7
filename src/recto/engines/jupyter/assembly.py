"""An executed document to Markdown for pandoc, for one kind of output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from recto.engines.jupyter.document import Cell, Document
from recto.engines.jupyter.execution import Execution
from recto.engines.jupyter.fences import fence_for
from recto.engines.jupyter.inline import replaced
from recto.engines.jupyter.media import Media
from recto.engines.jupyter.options import Options
from recto.engines.jupyter.outputs import Output, plain

Target = Literal["html", "docx", "pdf"]

PLOTLY = "application/vnd.plotly.v1+json"
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# What each target shows best comes first. Word shows no SVG without another tool, a page takes what is made for it.
PREFERRED: dict[Target, tuple[str, ...]] = {
    "html": (PLOTLY, "text/html", *_IMAGES, "image/svg+xml", "text/markdown", "text/latex", "text/plain"),
    "docx": (*_IMAGES[:3], "text/markdown", "text/latex", "text/html", PLOTLY, "text/plain"),
    "pdf": ("image/svg+xml", *_IMAGES, "text/markdown", "text/latex", "text/html", PLOTLY, "text/plain"),
}
# Put before the HTML of cells that is to become paragraphs and tables of a document that is no page.
HTML_MARK = "<!-- recto -->"
_OBJECT = re.compile(r"<[\w.]+ object(?: at 0x[0-9a-f]+)?>")
INTERACTIVE = "*(An interactive figure stands here in the HTML output.)*"


class Assembly:
    """Markdown of one document for one target; images go to `media` and stand in the text by their address there."""

    def __init__(self, document: Document, execution: Execution, media: Media, target: Target) -> None:
        self._document = document
        self._execution = execution
        self._media = media
        self._target: Target = target
        self._figures = 0
        self._charts = 0

    def markdown(self) -> str:
        """The whole document, front matter first."""
        return self._document.front + "\n" + "".join(self._blocks())

    def _blocks(self) -> Iterator[str]:
        for index, block in enumerate(self._document.blocks):
            if isinstance(block, Cell):
                self._figures = 0
                chosen = replace(block, options=block.shown.get(self._target, block.options))
                shown = self._execution.shown.get(index, ())
                yield f"\n{self._cell(chosen, shown)}\n\n" if chosen.options.include else "\n"
            else:
                values = self._execution.values.get(index)
                yield replaced(block.text, values) if values else block.text

    def _cell(self, cell: Cell, shown: tuple[Output, ...]) -> str:
        code = self._code(cell) if cell.options.echo and cell.code.strip() else ""
        visible = [output for output in shown if cell.options.warning or output.kind != "stderr"]
        parts = [self._output(output, cell.options) for output in visible] if cell.options.output else []
        body = "\n\n".join(part for part in parts if part)
        if body and (cell.options.label.startswith("tbl-") or cell.options.table_caption):
            body = _captioned("recto-table", cell.options.label, cell.options.table_caption, body)
        whole = f"{code}\n\n{body}"
        return whole if cell.options.output == "asis" else _div(".cell", whole)

    def _code(self, cell: Cell) -> str:
        if cell.options.echo == "fenced":
            lines = [line for line in cell.source.rstrip().split("\n") if not re.match(r"#\|\s*echo\s*:", line)]
            fence = fence_for(cell.source)
            inner = "\n".join([f"{fence}{{python}}", *lines, fence])
            return _block(inner, " {.markdown .cell-code}")
        code = _block(cell.code.strip("\n"), " {.python .cell-code}")
        if not cell.options.fold or self._target != "html":
            return code
        summary = cell.options.fold_summary.replace("&", "&amp;").replace("<", "&lt;")
        shown = " open" if cell.options.fold == "show" else ""
        return f"{_raw(f'<details{shown}><summary>{summary}</summary>')}\n\n{code}\n\n{_raw('</details>')}"

    def _output(self, output: Output, options: Options) -> str:
        if output.kind == "display":
            return self._display(output, options)
        text = plain(output.text).rstrip("\n")
        if options.output == "asis" and output.kind == "stdout":
            return text
        return self._printed(text, output.kind) if text.strip() else ""

    def _printed(self, text: str, kind: str) -> str:
        """Text as it was printed. Its block names no language but where typst styles it by that name: pandoc looks for
        an unknown one in all its grammars, which takes it half a second."""
        names = f".cell-output .cell-{kind}"
        return _block(text, f" {{{names}}}") if self._target == "pdf" else _div(names, _block(text))

    def _display(self, output: Output, options: Options) -> str:
        for mime in PREFERRED[self._target]:
            if mime in output.data and (shown := self._shown(mime, output, options)):
                return shown
        return ""

    def _shown(self, mime: str, output: Output, options: Options) -> str:
        """The Markdown of one representation; empty where the target cannot show this one."""
        data = output.data[mime]
        if mime.startswith("image/"):
            address = self._media.keep(mime, data)
            return self._figure(address, output.pixels, options) if address else ""
        if mime == PLOTLY:
            return self._chart(data, options)
        if mime == "text/html":
            return self._html(data)
        if mime == "text/plain":
            # What stands for an object that is shown in some other way says nothing to a reader.
            return "" if len(output.data) > 1 and _OBJECT.fullmatch(data) else self._printed(plain(data), "stdout")
        return _latex(data) if mime == "text/latex" else _div(".cell-output", data)

    def _html(self, data: str) -> str:
        """HTML as it is for a page; elsewhere marked for conversion, and left out where only a browser can show it."""
        if self._target == "html":
            return _div(".cell-output", _raw(data))
        return "" if "<script" in data else _div(".cell-output", _raw(HTML_MARK + data))

    def _figure(self, address: str, pixels: int, options: Options) -> str:
        alternative = _nth(options.alternatives, self._figures).replace("\\", "").replace('"', "'")
        width = f' width="{pixels}px"' if pixels else ""
        image = f'![]({address}){{alt="{" ".join(alternative.split())}"{width}}}'
        return self._numbered(image, options)

    def _chart(self, data: str, options: Options) -> str:
        if self._target != "html":
            return self._numbered(INTERACTIVE, options)
        self._charts += 1
        try:
            figure = json.loads(data)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(figure, dict):
            return ""
        # `</` inside of a script would end it.
        arguments = ", ".join(json.dumps(figure.get(key) or {}).replace("</", "<\\/") for key in ("data", "layout"))
        name = f"chart-{self._charts}"
        script = f"<script>Plotly.newPlot('{name}', {arguments}, {{responsive: true}});</script>"
        return self._numbered(_raw(f'<div id="{name}" class="chart"></div>\n{script}'), options)

    def _numbered(self, figure: str, options: Options) -> str:
        """The figure with its caption and label; the second figure of a cell is labelled `fig-x-2`."""
        caption = _nth(options.captions, self._figures)
        self._figures += 1
        label = options.label if options.label.startswith("fig-") else ""
        if label and self._figures > 1:
            label = f"{label}-{self._figures}"
        if not caption and not label:
            return _div(".cell-output", figure)
        return _captioned("recto-figure", label, caption, figure)


def _captioned(kind: str, label: str, caption: str, body: str) -> str:
    name = re.sub(r"[^\w.:-]", "-", label)
    head = f"::::: {{.{kind}{f' #{name}' if name else ''}}}"
    return f"{head}\n\n:::: {{.recto-caption}}\n\n{caption}\n\n::::\n\n{body}\n\n:::::"


def _div(names: str, body: str) -> str:
    return f"::: {{{names}}}\n\n{body}\n\n:::"


def _block(text: str, names: str = "") -> str:
    fence = fence_for(text)
    return f"{fence}{names}\n{text}\n{fence}"


def _raw(html: str) -> str:
    fence = fence_for(html)
    return f"{fence}{{=html}}\n{html}\n{fence}"


def _latex(text: str) -> str:
    """Mathematics as pandoc reads it: what is not between dollars already is put there."""
    stripped = text.strip()
    return f"\n{stripped}\n" if stripped.startswith("$") else f"\n$${stripped}$$\n"


def _nth(values: tuple[str, ...], index: int) -> str:
    return values[index] if index < len(values) else ""
