"""nbclient's, Quarto's and pandoc's own wording: kernels, time limits, inputs, filters and PDF tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recto.problems.diagnosis.finding import Facts, Finding, Rule, wording

_BEHIND = re.compile(
    r"\s{0,20}(?:\(os error \d{1,5}\))?[:,]?\s{0,20}(?:readfile|open|stat|lstat)\s{1,3}'(?P<path>[^'\n]{1,300})"
)


def _input(match: re.Match[str], text: str) -> Facts | None:
    """The path of a file that Quarto's own runtime could not read; None where it is not Quarto that speaks."""
    if "quarto" not in text[match.end() : match.end() + 4000].lower():
        return None
    path = _BEHIND.search(text, match.end(), match.end() + 600)
    return {"reason": f"there is no `{path['path']}`"} if path else {"reason": "a file is not there"}


def _stopped(match: re.Match[str], text: str) -> Facts:
    """What pandoc says on the line after the filter's name, which often begins with that name and the line."""
    name, words = match["filter"].strip(), (match["words"] or "").strip()
    return {"reason": words if not name or name in words else f"{name}: {words}" if words else name}


def _not_installed(match: re.Match[str], text: str) -> Facts:
    return {"reason": f"`{match['package']}` is not installed"}


RULES = (
    Rule("cell-timeout", wording(r"A cell timed out while it was being executed, after (?P<seconds>\d{1,9}) seconds")),
    Rule("cell-timeout", wording(r"Cell execution timed out|Timeout waiting for execute reply"), weak=True),
    Rule(
        "kernel-died",
        wording(
            r"\bKernel died\b|DeadKernelError|kernel appears to have died|[Kk]ernel (?:has )?crashed"
            r"|\b[Tt]he (?:Jupyter )?kernel (?:has )?died|KernelRestarter: restart(?:ing kernel| failed)"
            r"|Kernel didn't respond in"
        ),
    ),
    Rule(
        "kernel-died",
        re.compile(
            r"^(?:Fatal Python error: (?:Segmentation fault|Aborted)|Segmentation fault|Illegal instruction)", re.M
        ),
        weak=True,
    ),
    Rule("kernel-missing", wording(r"No such kernel named (?P<kernel>[\w.+-]{1,100})")),
    Rule("kernel-missing", wording(r"Jupyter kernel '(?P<kernel>[^'\n]{1,100})' not found|NoSuchKernel")),
    Rule(
        "notebook-invalid",
        wording(r"(?P<reason>Notebook does not appear to be JSON)|NotebookValidationError|Unreadable Notebook"),
    ),
    Rule("notebook-invalid", wording(r"(?P<reason>Notebook JSON is invalid[^\n]{0,200})")),
    Rule("jupyter-missing", wording(r"The (?:papermill|jupyter-cache) package is required")),
    Rule(
        "quarto-input-missing",
        wording(r"(?P<reason>No valid input files passed to render|No input files? (?:passed|specified))"),
    ),
    Rule(
        "quarto-input-missing",
        wording(
            r"ERROR: (?:The )?(?:input|specified) (?:file|path|directory) (?P<reason>[^\n]{1,200}?)"
            r" (?:does not exist|not found)"
        ),
    ),
    Rule("quarto-input-missing", wording(r"NotFound: [^\n]{1,200}\(os error [23]\)"), read=_input),
    Rule(
        "quarto-input-missing",
        wording(r"(?:ERROR: )?(?P<reason>Unable to (?:find|read|open) [^\n]{1,120}\.(?:qmd|ipynb|md|Rmd))"),
    ),
    Rule(
        "quarto-filter-error",
        re.compile(
            r"Error running (?:Lua )?filter (?P<filter>[^\n]{0,200}?):?(?:\n(?P<words>[^\n]{1,300}))?$", re.MULTILINE
        ),
        read=_stopped,
    ),
    Rule(
        "quarto-filter-error",
        re.compile(
            r"^(?:Error running Lua: )?(?:[A-Za-z]:)?[^\s:]{1,300}\.lua\)?:\d{1,6}: (?P<reason>[^\n]{1,200})",
            re.MULTILINE,
        ),
    ),
    Rule(
        "quarto-filter-error",
        wording(
            r"Could not find executable (?P<reason>[^\s]{1,100})|FATAL \([^()\n]{1,200}\.lua:\d{1,6}\)"
            r"|[Ff]ilter [^\s]{1,100} (?:failed|returned error|could not be found)"
        ),
    ),
    Rule(
        "pdf-engine-missing",
        wording(r"not found\. Please select a different --pdf-engine or install (?P<package>[\w-]{1,40})"),
        read=_not_installed,
    ),
    Rule(
        "pdf-engine-missing",
        wording(r"(?P<reason>No TeX installation was detected|no (?:LaTeX|TeX) (?:installation|distribution) found)"),
    ),
    Rule(
        "pdf-engine-missing",
        re.compile(r"\b(?P<package>xelatex|pdflatex|lualatex|latexmk|tectonic|typst)(?:: command)? not found"),
        read=_not_installed,
    ),
    Rule(
        "pdf-engine-missing",
        wording(r"(?P<package>xelatex|pdflatex|lualatex) (?:is )?not (?:found|recognized|installed)"),
        read=_not_installed,
    ),
)


def findings(text: str) -> Iterator[Finding]:
    """The causes that document tools name."""
    for rule in RULES:
        yield from rule.findings(text)
