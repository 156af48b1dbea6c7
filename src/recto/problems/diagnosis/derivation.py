"""uv's proof that no solution exists ("Because ... we can conclude that ...") read as one cause."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from recto.problems.diagnosis.finding import wording

_START = re.compile(r"No solution found when resolving", re.MULTILINE)
# A proof of one step is one clause without a "Because".
_FIRST = wording(r"\b(?:Because|you require|your (?:project|workspace) depends on)\b")
_FIRST_CHARACTERS = 2000
# After a list of ranges stands a blank line that does not end the proof.
_END = re.compile(r"\n\s{0,20}\n(?!\s{0,40}And\s{1,40}because\b)|\n\s{0,20}hint:|\n\s{0,20}:hint|\n(?:error|warning): ")
_PROOF_CHARACTERS = 40_000

_NAME = r"[A-Za-z0-9][\w.-]{0,120}"
_RANGE = r"[<>=!~][^\s,]{0,80}(?:,[<>=!~][^\s,]{0,80}){0,10}"
_WHOLE = rf"{_NAME}(?:\[[^\]\s]{{0,200}}\])?(?:\{{[^{{}}]{{0,200}}\}})?"
_SPEC = rf"{_WHOLE}(?:{_RANGE})?"
# Ranges with gaps are listed, one a line: `one of: a>=1,<2 a>2,<3`.
_LISTED = re.compile(rf"\b(?:one|any|all)\sof:\s((?:(?>{_WHOLE}{_RANGE})(?:\s|$))+)")
_REQUIRED = re.compile(
    rf"\b(?:you require|your (?:project|workspace) depends on)\s"
    rf"((?>{_SPEC})(?:(?:,\s|\sand\s|,\sand\s)(?!we\b|you\b|your\b|all\b|only\b|there\b|any\b)"
    rf"(?>{_SPEC})(?!\s(?:depend|has|have|was|were|is|are|needs)))*)"
)
_ONE = re.compile(_SPEC)
# The author's own requirements ("your project depends on") are no dependencies of a package.
_DEPENDS = re.compile(rf"(?<![\w.-])(?<!your )({_SPEC})\s(?:depends|depend)\son\s({_SPEC})")
_UNKNOWN = re.compile(rf"(?<![\w.-])({_NAME})\swas\snot\sfound\sin\sthe\s(?:package\sregistry|cache|provided)")
_UNUSABLE = re.compile(rf"(?<![\w.-])({_SPEC})\s(?:has|have)\sno\s(usable\swheels|wheels\swith\sa\smatching)")
_DAMAGED = re.compile(rf"(?<![\w.-])({_SPEC})\s(?:has|have)\san\sinvalid\spackage\sformat")
_NO_VERSION = re.compile(rf"\bthere\s(?:is\sno\sversion|are\sno\sversions)\sof\s({_SPEC})")
_ONLY = re.compile(rf"\bonly\s(?:the\sfollowing\sversions\sof\s)?({_NAME})")
_ONLY_TAIL = re.compile(r"is available|are available")
_PYTHON = re.compile(
    rf"Python\sversion\s\(([^()]{{1,80}})\)\sdoes\snot\ssatisfy\sPython({_RANGE})"
    r"|\brequires-python\s\(([^()]{1,80})\)"
)
_NEEDS_PYTHON = re.compile(rf"(?<![\w.-])({_SPEC})\s(?:depends|depend)\son\sPython")
_MARKER = re.compile(r"\{[^{}]{0,200}\}")
_VERSION_PART = re.compile(r"[<>=!~{\[]")
_RANGE_PART = re.compile(r"[<>=!~]")
_NO_RANGE = "\N{EMPTY SET}"


class Cause(Struct, frozen=True):
    """What the proof comes down to, with the facts that its wording needs."""

    code: str
    package: str | None
    facts: dict[str, str]


class Proof(Struct, frozen=True):
    """One proof: its place in the text, and its words on one line."""

    start: int
    end: int
    words: str

    def cause(self) -> Cause:
        """The cause that a reader would name: the author's own requirements where they clash, else the odd package."""
        unknown = _UNKNOWN.search(self.words)
        if unknown:
            return Cause("no-matching-distribution", unknown[1], {})
        required = self._required()
        if len({name(spec) for spec in required}) > 1 or len(required) > 1:
            return self._conflict(required)
        return self._python() or self._unusable() or self._no_version(required) or self._conflict(required)

    def _required(self) -> list[str]:
        """The author's requirements that take part; the proof's own conclusions ("we can conclude that") are none."""
        found = (
            one
            for match in _REQUIRED.finditer(self.words)
            if not self.words[: match.start()].endswith("we can conclude that ")
            for one in _ONE.findall(match[1])
        )
        return _distinct(plain(spec) for spec in found if spec != "and")

    def _python(self) -> Cause | None:
        python = _PYTHON.search(self.words)
        if not python:
            return None
        subject = _NEEDS_PYTHON.search(self.words)
        package = name(subject[1]) if subject else None
        if python[2] is None:
            return Cause("requires-python", package, {"needs": f"another than {python[3]}"})
        return Cause("requires-python", package, {"needs": f"{python[2]}, and this is {python[1]}"})

    def _unusable(self) -> Cause | None:
        damaged = _DAMAGED.search(self.words)
        if damaged:
            return Cause("download-corrupt", name(plain(damaged[1].removeprefix("versions of "))), {})
        unusable = _UNUSABLE.search(self.words)
        if not unusable:
            return None
        spec = plain(unusable[1].removeprefix("versions of "))
        if unusable[2].startswith("usable"):
            return Cause("no-wheel", name(spec), {"wanted": spec})
        return Cause("wheel-unsupported", name(spec), {})

    def _no_version(self, required: list[str]) -> Cause | None:
        missing = _NO_VERSION.search(self.words)
        if missing:
            wanted = plain(missing[1])
            # uv says of an unknown package with extras what it says of one that has no release at all.
            if wanted.endswith("]"):
                return Cause("no-matching-distribution", name(wanted), {})
            return Cause("no-matching-version", name(wanted), {"specifier": _specifier(wanted)})
        only = _ONLY.search(self.words)
        if not only or not _ONLY_TAIL.search(self.words, only.end()):
            return None
        package = name(only[1])
        targets = [*required, *(plain(target) for _, target in _DEPENDS.findall(self.words))]
        ranges = [_specifier(spec) for spec in targets if name(spec) == package and _specifier(spec)]
        return Cause("no-matching-version", package, {"specifier": ranges[0]}) if ranges else None

    def _conflict(self, required: list[str]) -> Cause:
        edges = [(plain(subject), plain(target)) for subject, target in _DEPENDS.findall(self.words)]
        names = {name(spec) for spec in required}
        repeated = [name(spec) for spec in required]
        candidates = (
            *(name(target) for _, target in reversed(edges) if name(target) in names),
            *(one for one in repeated if repeated.count(one) > 1),
            *(name(target) for _, target in reversed(edges)),
        )
        contested = next(iter(candidates), None)
        if _NO_RANGE in self.words and len(required) == 1:
            reason = f"no version of `{required[0]}` is in all of the ranges that you require"
            return Cause("dependency-conflict", name(required[0]), {"reason": reason})
        return Cause("dependency-conflict", contested, {"reason": _reason(required, edges, contested)})


def proofs(text: str) -> list[Proof]:
    """The proofs in a cleaned text, at most eight."""
    found: list[Proof] = []
    for match in _START.finditer(text):
        first = _FIRST.search(text, match.end(), match.end() + _FIRST_CHARACTERS)
        if first is None or len(found) == 8:
            continue
        ending = _END.search(text, first.start(), first.start() + _PROOF_CHARACTERS)
        end = ending.start() if ending else min(len(text), first.start() + _PROOF_CHARACTERS)
        words = _LISTED.sub(_joined, " ".join(text[first.start() : end].split()))
        found.append(Proof(match.start(), end, words))
    return found


def name(spec: str) -> str:
    """The package that a requirement names."""
    return _VERSION_PART.split(spec, maxsplit=1)[0]


def plain(spec: str) -> str:
    """The requirement without its marker and the sentence's own punctuation."""
    return _MARKER.sub("", spec).rstrip(".,;")


def _joined(match: re.Match[str]) -> str:
    """A list of ranges of one package as one requirement; `|` stands between ranges that leave a gap.

    A range with a version left out is listed as what lies below and above: `a>=1,!=2` as `a>=1,<2` and `a>2`.
    """
    specs = [_MARKER.sub("", spec) for spec in _ONE.findall(match[1])]
    first = specs[0]
    start = _RANGE_PART.search(first)
    package = first[: start.start()] if start else first
    whole: list[tuple[list[str], list[str]]] = []
    for spec in specs:
        parts = spec.removeprefix(package).split(",")
        above = parts[0]
        if whole and above[1:2] != "=" and whole[-1][0][-1] == above.replace(">", "<", 1):
            joined, left_out = whole[-1]
            whole[-1] = ([*joined[:-1], *parts[1:]], [*left_out, f"!={above[1:]}"])
        else:
            whole.append((parts, []))
    return f"{package}{'|'.join(','.join([*parts, *left_out]) for parts, left_out in whole)} "


def _specifier(spec: str) -> str:
    start = _RANGE_PART.search(spec)
    return _shown(spec[start.start() :]) if start else ""


def _shown(spec: str) -> str:
    return spec.replace("|", " or ")


def _distinct(specs: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(specs))


def _reason(required: list[str], edges: list[tuple[str, str]], contested: str | None) -> str:
    """One clause for a person: what was asked for, and the dependency that stands against it."""
    shown = required[:4]
    asked = " and ".join(f"`{_shown(spec)}`" for spec in shown)
    if len(required) > len(shown):
        asked += " and more"
    clauses = [f"you require {asked}"] if shown else []
    against = [
        f"`{name(subject)}` needs `{_shown(target)}`"
        for subject, target in reversed(edges)
        if name(target) == contested and name(subject) != contested
    ]
    return ", and ".join([*clauses, *_distinct(against)[: 1 if clauses else 2]]) or "the log does not say why"
