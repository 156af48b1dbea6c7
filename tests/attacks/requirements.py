"""Cases of the kind `requirements`: lines of a `requirements.txt`, or files in `project/` that other tools read.

What stands in for a control is uv alone, given one of them at a time.
"""

from __future__ import annotations

from case import Case, Seen
from result import Result
from stage import Stage, Tools, buildable, refused, stage
from words import WORKS


def run(case: Case, mechanism: str, tools: Tools) -> Result:
    """What Recto makes of all lines and files together."""
    lines, files = _lines(case), _files(case)
    with stage(case, mechanism, tools) as made:
        buildable(made)
        if files:
            made.copy(case.directory / "project")
        (made.project / "requirements.txt").write_text(made.filled("".join(f"{line}\n" for line in lines or ["plain"])))
        ran = made.recto("env", "build", "--json")
        told = refused(ran)
        became = {line: "refused" if number in told else "taken" for number, line in enumerate(lines, 1)}
        facts = made.facts(ran.out + ran.err)
        # Which of them it was that worked is not known, nor does it matter.
        became |= dict.fromkeys(files, WORKS if any(facts.values()) else "not read")
        if any(facts.values()):
            became = dict.fromkeys(became, WORKS)
    return Result(case.name, mechanism, Seen(became, **facts))


def control(case: Case, tools: Tools) -> Result:
    """What uv alone makes of each."""
    became: dict[str, str] = {}
    facts: dict[str, set[str]] = {"told": set(), "reached": set(), "changed": set()}
    for name in _lines(case) or _files(case):
        with stage(case, "none", tools) as made:
            seen = made.facts(_uv(case, made, name))
        became[name] = WORKS if any(seen.values()) else "nothing"
        for kind, names in seen.items():
            facts[kind].update(names)
    return Result(case.name, "none", Seen(became, **{kind: tuple(sorted(names)) for kind, names in facts.items()}))


def _uv(case: Case, made: Stage, name: str) -> str:
    (made.project / "requirements.txt").write_text("plain\n")
    if _files(case):
        path = made.project / name.strip("`")
        path.write_text(made.filled((case.directory / "project" / path.name).read_text()))
        return made.uv("-r", "requirements.txt")
    buildable(made)
    # An option says nothing without a package that it is about.
    package = {"--no-binary :all:": "tiny", "--find-links @away@": "planted"}.get(
        name, "plain" if name[0] == "-" else ""
    )
    (made.project / "requirements.txt").write_text(made.filled(f"{name}\n{package}\n"))
    # An index that is named on the command line is taken before one that a file names.
    index = () if name.startswith("--index-url") else ("--default-index", made.index.url)
    return made.uv("--no-config", *index, "-r", "requirements.txt")


def _lines(case: Case) -> list[str]:
    path = case.directory / "requirements.txt"
    return path.read_text().splitlines() if path.exists() else []


def _files(case: Case) -> list[str]:
    return [f"`{path.name}`" for path in sorted((case.directory / "project").glob("*"))]
