"""Executed documents to files: pages, Word documents and PDFs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from recto.engines.jupyter.assembly import HTML_MARK, Assembly, Target
from recto.engines.jupyter.callouts import with_callouts
from recto.engines.jupyter.commands import Access, Commands
from recto.engines.jupyter.document import Document
from recto.engines.jupyter.execution import Execution
from recto.engines.jupyter.figures import tables_as_figures, with_figures
from recto.engines.jupyter.formats import ALIASES
from recto.engines.jupyter.images import Images
from recto.engines.jupyter.media import Media
from recto.engines.jupyter.metadata import Bibliography, citation_as_text, prepared
from recto.engines.jupyter.pandoc import Pandoc, too_deep
from recto.engines.jupyter.paper_settings import paper_settings
from recto.engines.jupyter.tree import Element, changed, walk
from recto.problems import EngineError, Problem, problem
from recto.problems.diagnosis import clean, decode

_HERE = Path(__file__).parent
PAGE, PAPER, TYPESETTING = _HERE / "page.html", _HERE / "paper.typ", _HERE / "typesetting.py"


class Writer(Struct):
    """Writes one executed document into `directory`; `problems` gathers what had to be left out.

    `file` is the document's name within its project, `python` an interpreter that has the `typst` package.
    """

    document: Document
    execution: Execution
    commands: Commands
    executable: Path
    python: Path
    directory: Path
    file: str
    problems: list[Problem] = field(default_factory=list)

    def write(self, target: Target) -> Path:
        """The file that was written; raises EngineError."""
        directory = self.directory / target
        directory.mkdir()
        pandoc = Pandoc(self.executable, self.commands, directory)
        try:
            tree, bibliography = self._tree(target, pandoc, directory)
            return _WRITERS[target](self, tree, bibliography, pandoc, directory)
        except RecursionError as error:
            raise too_deep() from error

    def _tree(self, target: Target, pandoc: Pandoc, directory: Path) -> tuple[dict[str, Any], Bibliography]:
        job = self.commands.job
        media = Media(job.document.parent, job.project)
        text = Assembly(self.document, self.execution, media, target).markdown()
        tree = pandoc.tree(text, "markdown")
        blocks = with_callouts(with_figures(tree["blocks"]), target)
        if target != "html":
            blocks = _with_html(blocks, pandoc)
        if target == "pdf":
            blocks = tables_as_figures(blocks)
        images = Images(media, target, directory, self.file, self._line_of)
        tree["blocks"] = images.placed(blocks)
        self.problems += [found for found in images.missing if found not in self.problems]
        bibliography = Bibliography.of(self.document, job.document.parent, job.project, directory)
        if not bibliography.files:
            tree = changed(tree, citation_as_text)
        tree["meta"] = prepared(tree["meta"], self.execution.plotly if target == "html" else b"", self._dates())
        return tree, bibliography

    def _dates(self) -> dict[str, str]:
        """The days that the front matter may name by a word."""
        today = datetime.now(tz=UTC).date().isoformat()
        try:
            changed_at = self.commands.job.document.lstat().st_mtime
        except OSError:
            # A cell removed the document, or put something in its way; what was read of it is rendered all the same.
            return {"today": today, "now": today, "last-modified": today}
        changed_on = datetime.fromtimestamp(changed_at, tz=UTC).date().isoformat()
        return {"today": today, "now": today, "last-modified": changed_on}

    def _line_of(self, address: str) -> int | None:
        """The first line of the text that holds the address."""
        for block in self.document.blocks:
            text = getattr(block, "text", "")
            if block_line := getattr(block, "line", None):
                before, found, _ = text.partition(address)
                if found:
                    return int(block_line) + before.count("\n")
        return None

    def page(self, tree: dict[str, Any], bibliography: Bibliography, pandoc: Pandoc, directory: Path) -> Path:
        """One HTML file that needs no other file and no network."""
        target = directory / "out.html"
        title = () if "title" in tree["meta"] else ("--variable", f"pagetitle={self.commands.job.document.stem}")
        options = ("--template", str(PAGE), "--mathml", *title, *self._contents("html"), *bibliography.options)
        pandoc.write(tree, "html5", target, *options, files=(PAGE, *bibliography.files))
        return target

    def word(self, tree: dict[str, Any], bibliography: Bibliography, pandoc: Pandoc, directory: Path) -> Path:
        """A Word document in pandoc's own style."""
        target = directory / "out.docx"
        pandoc.write(tree, "docx", target, *self._contents("docx"), *bibliography.options, files=bibliography.files)
        return target

    def paper(self, tree: dict[str, Any], bibliography: Bibliography, pandoc: Pandoc, directory: Path) -> Path:
        """A PDF, set by typst."""
        source, target = directory / "out.typ", directory / "out.pdf"
        options = (
            "--template",
            str(PAPER),
            "--syntax-highlighting",
            "idiomatic",
            *paper_settings(self._settings("pdf")),
            *self._contents("pdf"),
            *bibliography.options,
        )
        pandoc.write(tree, "typst", source, *options, files=(PAPER, *bibliography.files))
        # -P and not -I: recto may be installed for one user, in a place that -I leaves out.
        argv = (str(self.python), "-P", str(TYPESETTING), str(source), str(target))
        prefix = self.python.parent.parent
        access = Access((TYPESETTING, prefix, self.python.resolve().parent.parent), (directory,))
        outcome = self.commands.run(argv, directory, {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, access)
        if not outcome.succeeded:
            said = clean(decode(outcome.stderr)).strip()
            reason = said.splitlines()[0] if said else f"typst ended with status {outcome.code}"
            raise EngineError(problem("render-failed", reason=reason.rstrip("."), excerpt=said[:2000]), raw=said)
        return target

    def _settings(self, target: Target) -> dict[str, object]:
        return self.document.settings([name for name, meant in ALIASES.items() if meant == target])

    def _contents(self, target: Target) -> tuple[str, ...]:
        """pandoc's options for what the front matter asks for, at its top or under the format."""
        settings = self._settings(target)
        depth = settings.get("toc-depth")
        chosen = [option for option in ("toc", "number-sections") if settings.get(option) is True]
        deep = (f"--toc-depth={depth}",) if isinstance(depth, int) and 1 <= depth <= 6 else ()
        return (*(f"--{option}" for option in chosen), *deep)


_WRITERS: dict[Target, Callable[[Writer, dict[str, Any], Bibliography, Pandoc, Path], Path]] = {
    "html": Writer.page,
    "docx": Writer.word,
    "pdf": Writer.paper,
}


def _with_html(blocks: Any, pandoc: Pandoc) -> Any:
    """The blocks with the HTML of cells made real tables and text, all in one run of pandoc."""
    raw = [element["c"][1] for element in walk(blocks) if _is_html(element)]
    if not raw:
        return blocks
    page = "".join(f'<div id="recto-html-{number}">{html}</div>' for number, html in enumerate(raw))
    read = {
        element["c"][0][0]: changed(element["c"][1], _without_frame)
        for element in walk(pandoc.tree(page, "html")["blocks"])
        if element["t"] == "Div"
    }
    converted = iter([read.get(f"recto-html-{number}", []) for number in range(len(raw))])
    return changed(blocks, lambda element: next(converted) if _is_html(element) else None)


def _without_frame(element: Element) -> list[Element] | None:
    """What is inside of a Div: those of cells' HTML are for a browser."""
    if element["t"] != "Div":
        return None
    inner: list[Element] = element["c"][1]
    return inner


def _is_html(element: Element) -> bool:
    return element["t"] == "RawBlock" and str(element["c"][1]).startswith(HTML_MARK)
