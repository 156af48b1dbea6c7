"""Cases of the kind `document`: an `a.qmd` whose cell plants what is named as its images, and at its own output.

What stands in for a control is a plain open, of the same names.
"""

from __future__ import annotations

import base64
import os
import re

from case import Case, Seen
from result import Result
from stage import Stage, Tools, stage
from words import WORKS
from world import SECRET

_IMAGE = re.compile(r"!\[\]\((.*?)\)")
RENDER = ("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")
PAGE = "a.html"


def run(case: Case, mechanism: str, tools: Tools) -> Result:
    """What Recto makes of the names when it has rendered the document."""
    with stage(case, mechanism, tools) as made:
        secret = (made.away / "secret").read_bytes()
        said = _rendered(case, made)
        became = {name: "refused" if f"`{made.filled(name)}`" in said else "taken" for name in _names(case)}
        page = made.project / PAGE
        became[PAGE] = WORKS if page.is_symlink() or not page.is_file() else "replaced"
        told = told_in(page.read_text())
        changed = ("away",) if (made.away / "secret").read_bytes() != secret else ()
    return Result(case.name, mechanism, Seen(became, changed, ("page",) if told else ()))


def control(case: Case, tools: Tools) -> Result:
    """What a plain open makes of them."""
    with stage(case, "none", tools) as made:
        _rendered(case, made)
        became = {name: _opened(str(made.project / made.filled(name))) for name in _names(case)}
    return Result(case.name, "none", Seen(became))


def told_in(page: str) -> bool:
    """Whether a page tells the secret, as it is or as the content of an image."""
    encoded = base64.b64encode(SECRET.encode()).decode()
    return SECRET in page or encoded[:-4] in page


def _rendered(case: Case, made: Stage) -> str:
    """The messages of a render, which must have been one."""
    (made.project / "a.qmd").write_text(made.filled((case.directory / "a.qmd").read_text()))
    ran = made.recto(*RENDER)
    assert ran.json["status"] == "success", ran.out
    return "\n".join(problem["message"] for problem in ran.json["problems"])


def _names(case: Case) -> list[str]:
    return _IMAGE.findall((case.directory / "a.qmd").read_text())


def _opened(path: str) -> str:
    """What comes of a plain open; of a pipe it would never return, but for a flag."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        return error.strerror or ""
    try:
        return WORKS if os.read(file, 1) or os.fstat(file).st_size == 0 else "nothing"
    finally:
        os.close(file)
