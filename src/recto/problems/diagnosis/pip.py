"""pip's wording: what was not found, what clashes, and lines and files that it cannot read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from recto.problems.diagnosis.finding import Facts, Finding, Rule, wording
from recto.problems.diagnosis.requirement_line import facts_of_line

NAME = r"[A-Za-z0-9][\w.-]{0,120}"
_FROM_LINE = r"\(from line (?P<line_number>\d{1,7}) of (?P<file>[^()\n]{1,300})\)"

_IGNORED = re.compile(r"(\d[\w.!+]{0,60})\s{1,9}Requires-Python\s{1,9}([^;\n]{1,80})")
_IGNORED_START = wording("Ignored the following versions that require a different python version")
_IGNORED_CHARACTERS = 20_000

_CLASH_WORDS = wording("package versions have conflicting dependencies")
_CLASH_HEAD_CHARACTERS = 8_000
_CLASH_START = "The conflict is caused by:"
_CLASH_CHARACTERS = 20_000
_CLASH_END = wording("To fix this you could try to:|ResolutionImpossible")
_USER_ASKED = re.compile(rf"The user requested (?:\(constraint\) )?({NAME})([^\n]{{0,200}})")
_DEPENDS = re.compile(
    rf"^\s{{1,12}}({NAME})(?:\[[^\]\n]{{0,80}}\])? [^\s]{{1,60}} depends on ({NAME})([^\n]{{0,200}})", re.M
)


def _missing(match: re.Match[str], text: str) -> Facts | None:
    """The facts of a requirement that has releases; None where it has none, or where Python is at fault."""
    specifier = match["specifier"] or ""
    if _has_none(match) or _needs_python(match, text) is not None or _not_discarded(match, text) is None:
        return None
    return {"specifier": specifier, "package": match["package"]} if specifier else None


def _has_none(match: re.Match[str]) -> bool:
    return match["versions"].strip() in ("none", "")


def _unknown(match: re.Match[str], text: str) -> Facts | None:
    return _not_discarded(match, text) if _has_none(match) and _needs_python(match, text) is None else None


_DISCARDED = re.compile(r"Discarding [^\n]{1,600}(?:Command errored out|exit status|metadata-generation-failed)")


def _not_discarded(match: re.Match[str], text: str) -> Facts | None:
    """None where pip had found releases and could build none of them."""
    return None if _DISCARDED.search(text, max(0, match.start() - _IGNORED_CHARACTERS), match.start()) else {}


def _other_python(match: re.Match[str], text: str) -> Facts | None:
    needs = _needs_python(match, text)
    return None if needs is None else {"needs": needs}


def _needs_python(match: re.Match[str], text: str) -> str | None:
    """The Python that an ignored release needs which the specifier asks for, or None.

    pip lists the releases that it ignored for the one requirement that it could not satisfy.
    """
    specifier, position = match["specifier"] or "", match.start()
    first, last = max(0, position - _IGNORED_CHARACTERS), position + _IGNORED_CHARACTERS
    start = _IGNORED_START.search(text, first, last)
    if start is None or (not specifier and not _has_none(match)):
        return None
    try:
        wanted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    for version, needs in _IGNORED.findall(text, start.end(), last):
        try:
            if wanted.contains(Version(version), prereleases=True):
                return str(needs).strip()
        except InvalidVersion:
            continue
    return None


_NOT_SATISFIED = wording(
    rf"Could not find a version that satisfies the requirement (?P<package>{NAME})(?:\[[^\]\n]{{0,80}}\])?"
    r"(?P<specifier>[<>=!~][^\s(]{0,200})?(?:; [^\n()]{0,120})? (?:\(from (?!versions)[^\n]{0,300}\) )?"
    r"\(from versions: (?P<versions>[^\n)]{0,2000})"
)


def _invalid_line(match: re.Match[str], text: str) -> Facts | None:
    """The facts of the line that pip quotes; None where pip takes it for a path that does not exist."""
    after = text[match.end() : match.end() + 500]
    if "It looks like a path" in after:
        return None
    hint = re.search(r"Hint: ([^\n]{1,200})", after)
    reason = hint[1] if hint else (match["why"] or "it has another form").strip()
    return facts_of_line(match["line"], reason)


def _clash(match: re.Match[str], text: str) -> Facts | None:
    """What the author asked for, and the package that the clash is about; None where pip says something else."""
    if not _CLASH_WORDS.search(text, match.end(), match.end() + _CLASH_HEAD_CHARACTERS):
        return None
    block = _clash_block(text, match)
    asked = [(name, f"{name}{spec.strip()}") for name, spec in _USER_ASKED.findall(block)]
    targets = Counter(target for _, target, _ in _DEPENDS.findall(block))
    asked_names = {name for name, _ in asked}
    contested = next((name for name, _ in targets.most_common() if name in asked_names), None)
    if contested is None:
        contested = next((name for name, _ in [*targets.most_common(), *asked]), None)
    edge = next(((who, f"{on}{spec}") for who, on, spec in _DEPENDS.findall(block) if on == contested), None)
    clauses = [f"you require {' and '.join(f'`{spec}`' for _, spec in asked[:3])}"] if asked else []
    if edge:
        needed = edge[1].split(";", 1)[0].strip().replace(" and ", ",")
        clauses.append(f"`{edge[0]}` needs `{needed}`")
    facts = {"reason": ", and ".join(clauses)} if clauses else {}
    return facts | ({"package": contested} if contested else {})


def _clash_block(text: str, match: re.Match[str]) -> str:
    """The list of who asks for what: behind pip's error, or before it where the two streams were caught apart."""
    start = text.find(_CLASH_START, match.end(), match.end() + _CLASH_CHARACTERS)
    if start < 0:
        start = text.rfind(_CLASH_START, max(0, match.start() - _CLASH_CHARACTERS), match.start())
    start = match.end() if start < 0 else start
    ending = _CLASH_END.search(text, start, start + _CLASH_CHARACTERS)
    return text[start : ending.start() if ending else start + _CLASH_CHARACTERS]


_CLASH_LINE = re.compile(
    r"(?<![\w.-])(?P<who>[A-Za-z0-9][\w.-]{0,100})\s{1,9}(?P<whose>\d[\w.!+-]{0,60})\s{1,9}"
    r"(?:requires|has\s{1,9}requirement)\s{1,9}(?P<needs>[^\s]{1,200}),"
    r"\s{1,9}(?:but\s{1,9}you(?:'ll)?\s{1,9}have\s{1,9}(?P<package>[A-Za-z0-9][\w.-]{0,100})\s{1,9}(?P<has>[^\s]{1,60})"
    r"|which\s{1,9}is\s{1,9}not\s{1,9}installed)"
)

_CLASH_SIGNS = ("dependency resolver", "which is incompatible", "has requirement", "which is not installed")

_FETCHED = re.compile(
    r"(?:Obtaining |Collecting |[`'])(?P<package>[A-Za-z0-9][\w.-]{0,120})(?: from | ?@ ?)(?:git|hg|svn|bzr)\+"
    r"|#egg=(?P<egg>[A-Za-z0-9][\w.-]{0,120})"
)
_FETCHED_CHARACTERS = 4_000


def _outside_builds(match: re.Match[str], text: str) -> Facts | None:
    """None where a package's build script raised it, and not pip itself."""
    return None if "subprocess-exited-with-error" in text or "build backend" in text else {}


_HANDLED = re.compile(
    r"(?:Failed to (?:download|extract|unzip|read|install)[^\n`]{0,40}`|Collecting )"
    r"(?P<package>[A-Za-z0-9][\w.-]{0,120})"
)


def _handled(match: re.Match[str], text: str) -> Facts:
    """The package whose file was being read, where the lines before say so."""
    before = list(_HANDLED.finditer(text, max(0, match.start() - _FETCHED_CHARACTERS), match.start()))
    return {"package": before[-1]["package"]} if before else {}


def _processed(match: re.Match[str], text: str) -> Facts | None:
    """Empty where pip had just begun with the file that it misses, so that a requirement named it."""
    path = match["path"].replace("\\\\", "\\")
    named = re.compile(rf"(?:Processing|looks like a filename|Requirement)[^\n]{{0,40}}{re.escape(_last_part(path))}")
    return {} if named.search(text, max(0, match.start() - _IGNORED_CHARACTERS), match.start()) else None


def _last_part(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]


def _fetched(match: re.Match[str], text: str) -> Facts:
    """The package that was being fetched, where the lines before say so."""
    before = list(_FETCHED.finditer(text, max(0, match.start() - _FETCHED_CHARACTERS), match.end()))
    name = (before[-1]["package"] or before[-1]["egg"]) if before else None
    return {"package": name} if name else {}


RULES = (
    Rule("requires-python", _NOT_SATISFIED, read=_other_python),
    Rule("no-matching-version", _NOT_SATISFIED, read=_missing),
    Rule("no-matching-distribution", _NOT_SATISFIED, read=_unknown),
    # pip 20.3 to 21.0 lists no versions; a range is then the only sign that there are some.
    Rule(
        "no-matching-version",
        re.compile(
            rf"Could not find a version that satisfies the requirement (?P<package>{NAME})(?:\[[^\]\n]{{0,80}}\])?"
            r"(?P<specifier>[<>=!~][^\s(]{0,200})(?: \(from (?!versions)[^\n]{0,300}\))?$",
            re.MULTILINE,
        ),
        read=_not_discarded,
        weak=True,
    ),
    Rule(
        "no-matching-distribution",
        wording(rf"No matching distribution found for (?P<package>{NAME})"),
        read=_not_discarded,
        weak=True,
    ),
    Rule(
        "requires-python",
        wording(
            rf"Package '(?P<package>{NAME})' requires a different Python: [^\s]{{1,40}} not in "
            r"'(?P<needs>[^'\n]{1,80})'"
        ),
    ),
    Rule(
        "requires-python",
        wording(
            rf"(?<![\w.-])(?P<package>{NAME}) requires Python '(?P<needs>[^'\n]{{1,80}})' but the running Python is"
        ),
    ),
    Rule(
        "dependency-conflict",
        wording(r"ERROR: Cannot install "),
        read=_clash,
    ),
    Rule("dependency-conflict", wording("ResolutionImpossible: for help visit"), weak=True),
    Rule(
        "dependency-conflict",
        wording(rf"Double requirement given: (?P<package>{NAME})"),
        {"reason": "it is asked for twice, with different ranges"},
    ),
    Rule(
        "hash-mismatch",
        wording(rf"DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE\.[^\n]{{0,400}}\n (?P<package>{NAME})"),
    ),
    Rule("hash-mismatch", wording("Hashes are required in --require-hashes mode, but they are missing")),
    Rule(
        "hash-mismatch",
        wording(
            r"In --require-hashes mode, all requirements must have their versions pinned"
            r"|Can't verify hashes for these (?:file:// )?requirements"
        ),
    ),
    Rule("hash-mismatch", wording("DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE"), weak=True),
    Rule(
        "wheel-unsupported",
        re.compile(
            r"^(?:\s{0,12}ERROR:)?\s{0,12}(?:[^\s]{0,300}[\\/])?(?P<package>[A-Za-z0-9][A-Za-z0-9_.]{0,100})-[^\s]{1,200}\.whl\s{1,9}"
            r"is\s{1,9}not\s{1,9}a\s{1,9}supported\s{1,9}wheel",
            re.MULTILINE,
        ),
    ),
    Rule(
        "download-corrupt",
        wording(rf"Wheel '(?P<package>{NAME})' located at [^\n]{{1,300}} is invalid"),
    ),
    Rule(
        "download-corrupt",
        re.compile(
            r"BadZipFile|File is not a zip file|tarfile\.ReadError|EOFError: Compressed file|IncompleteRead\("
            r"|zlib\.error|end of central directory|unexpected end of file"
            r"|Bad (?:uncompressed size|compressed size|CRC) \(got"
        ),
        read=_handled,
    ),
    # pip 24 shows the line again, with marks under the place, before it says where the line stands.
    Rule(
        "invalid-requirement",
        re.compile(
            r"Invalid requirement: '(?P<line>[^'\n]{1,300})': (?P<why>[^\n]{1,300})\n[^\n]{1,320}\n"
            rf" {{1,320}}[~^]{{1,320}} {_FROM_LINE}"
        ),
        read=_invalid_line,
    ),
    Rule(
        "invalid-requirement",
        re.compile(
            r"Invalid\s{1,9}requirement:\s{1,9}'?(?P<line>[^\n]{1,300}?)'?"
            rf"(?::\s(?P<why>[^\n]{{1,200}}))?\s{{1,20}}{_FROM_LINE}"
        ),
        read=_invalid_line,
    ),
    Rule(
        "invalid-requirement",
        re.compile(
            r"Invalid\s{1,9}requirement:\s{1,9}['\"](?P<line>[^'\"\n]{1,300})['\"](?::\s(?P<why>[^\n]{1,200}))?"
        ),
        read=_invalid_line,
    ),
    Rule(
        "invalid-requirement",
        re.compile(r"Invalid\s{1,9}requirement: (?P<line>[^'\"\s][^\n]{0,200})$", re.MULTILINE),
        read=lambda match, text: facts_of_line(match["line"], "it has another form"),
        weak=True,
    ),
    Rule(
        "invalid-requirement",
        wording(r"error: no such option: (?P<line>--?[\w-]{1,60})"),
        {"reason": "the installer has no such option"},
        weak=True,
    ),
    Rule(
        "invalid-requirement",
        wording(r"(?<!\S)(?P<line>[^\s]{1,200}) is not a valid editable requirement"),
        {"reason": "it is no address or path"},
    ),
    Rule(
        "file-not-found",
        wording(r"Could not open requirements file: \[Errno \d{1,3}\] [^\n']{1,120}'(?P<path>[^'\n]{1,300})'"),
    ),
    Rule(
        "file-not-found", wording(r"It looks like a path\. (?:File|The path) '(?P<path>[^'\n]{1,300})' does not exist")
    ),
    Rule(
        "file-not-found",
        wording(r"Requirement '(?P<path>[^'\n]{1,300})' looks like a filename, but the file does not exist"),
    ),
    Rule(
        "file-not-found",
        wording(
            r"File \"setup\.py\"(?: or \"setup\.cfg\")? not found[^\n]{0,200}\. Directory cannot be installed in"
            r" editable mode: (?P<path>[^\n]{1,300})"
        ),
    ),
    Rule(
        "file-not-found",
        wording(
            r"due to an (?:OSError|EnvironmentError): \[(?:Errno 2|WinError 2|WinError 3)\] [^'\n]{1,80}:"
            r" '(?P<path>[^'\n]{1,400})'"
        ),
        read=_processed,
    ),
    Rule("file-not-found", wording(r"Directory '(?P<path>[^'\n]{1,300})' is not installable")),
    Rule("file-not-found", wording(r"(?<!\S)(?P<path>[^\s]{1,300}) does not appear to be a Python project")),
    Rule(
        "vcs-failure",
        wording(r"Cannot find command '(?:git|hg|svn|bzr)'|Git executable not found"),
        {"reason": "git is not installed"},
        read=_fetched,
    ),
    Rule(
        "vcs-failure",
        wording(r"\bgit (?:clone|checkout|fetch|submodule|rev-parse|reset) [^\n]{1,400} did not run successfully"),
        {"reason": "git could not fetch what was asked for"},
        _fetched,
    ),
    Rule(
        "vcs-failure",
        re.compile(
            r"fatal: (?P<reason>(?:unable to access|repository|[Cc]ould not read|Remote branch|Authentication"
            r"|'[^'\n]{1,300}' does not appear to be a git repository)[^\n]{0,200})"
        ),
        read=_fetched,
    ),
    Rule(
        "vcs-failure",
        wording(r"Git operation failed|[Ff]ailed to (?:clone|fetch) (?:into|commit|branch|tag)"),
        {"reason": "cloning failed"},
        read=_fetched,
        # git's own words follow and say why.
        weak=True,
    ),
    Rule("pip-broken", re.compile(r"(?P<reason>No module named '?pip\b'?)(?![\w.])")),
    Rule(
        "pip-broken", re.compile(r"(?P<reason>module 'pkgutil' has no attribute 'ImpImporter')"), read=_outside_builds
    ),
    Rule("pip-broken", re.compile(r"(?P<reason>No module named '?pip\.[\w.]{1,80})")),
    Rule(
        "pip-broken",
        re.compile(
            r"from pip[\w.]{0,80} import [^\n]{1,80}\n(?:[^\n]{0,200}\n){0,3}?"
            r"(?P<reason>ImportError: cannot import name [^\n]{1,120})"
        ),
    ),
    # An error that is no answer to what was asked, raised in pip's own files.
    Rule(
        "pip-broken",
        re.compile(
            r"[\\/]pip[\\/]_(?:internal|vendor)[\\/][^\n\"]{1,200}\", line \d{1,6}[^\n]{0,80}\n[^\n]{1,300}\n"
            r"(?:\s{1,120}[\^~]{1,120}\s{0,9}\n)?"
            r"(?P<reason>(?:AttributeError|ImportError|NameError|SyntaxError)\b[^\n]{0,200})"
        ),
        read=_outside_builds,
    ),
    Rule(
        "pip-broken",
        wording(
            r"(?P<reason>This version of pip does not support Python [\d.]{1,9}"
            r"|This script does not work on Python [\d.]{1,9}"
            r"|The 'pip[=<>][^'\n]{0,60}' distribution was not found|VersionConflict: \(pip [^\n]{1,200})"
        ),
    ),
    Rule("pip-broken", wording(r"(?P<reason>To modify pip, please run the following command)")),
    Rule("pip-broken", wording(r"(?P<reason>Fatal error in launcher: Unable to create process)")),
    Rule(
        "pip-broken",
        re.compile(
            r"(?P<reason>\bpip3?: (?:command )?not found|command not found: pip3?\b|Command 'pip3?' not found"
            r"|'pip3?' is not recognized|The term 'pip3?' is not recognized)"
        ),
    ),
    Rule(
        "pip-broken",
        re.compile(
            r"(?P<reason>cannot import name '?\w{1,60}'? from '?(?:partially initialized module '?)?pip\b[^\n]{0,120})"
        ),
    ),
)


def findings(text: str) -> Iterator[Finding]:
    """The causes that pip names."""
    for rule in RULES:
        yield from rule.findings(text)
    if any(words in text for words in _CLASH_SIGNS):
        for match in _CLASH_LINE.finditer(text):
            has = f"{match['package']} {match['has']}" if match["package"] else "it is not installed"
            reason = f"{match['who']} {match['whose']} needs {match['needs']}, and there is {has}"
            package = match["package"] or re.split(r"[<>=!~\[]", match["needs"], maxsplit=1)[0]
            yield Finding("incompatible-installed", match.start(), match.end(), package, {"reason": reason})
