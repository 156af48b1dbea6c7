"""Source builds: what compilers, build tools and build scripts say, and whose build it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from recto.problems.diagnosis.finding import Facts, Finding, Rule, wording

_NAME = r"([A-Za-z0-9][\w.-]{0,120})"
# Without one of these no build failed, and words such as `fatal error` belong to something else.
_FAILED = wording(
    r"subprocess-exited-with-error|metadata-generation-failed|Failed building (?:wheel|editable)"
    r"|did not run successfully|The build backend returned an error|Failed to build [`']"
    r"|Failed to build installable wheels"
    r"|legacy-install-failure|Command errored out with exit status|\" failed with error code \d{1,4} in "
    r"|Could not build wheels|egg_info failed with error code|setup\.py (?:egg_info|install|bdist_wheel) "
    r"|Failed to download and build|failed-wheel-build-for-install|Setup script exited with"
)
_END = re.compile(r"\[end of output\]|-{20,40}\n")

# Whose build: patterns searched after the finding, before it, or on both sides, in order of trust.
_AFTER_CHARACTERS = 60_000
_AFTER = (
    wording(rf"Failed building (?:wheel|editable) for {_NAME}"),
    wording(rf"Failed to build '{_NAME}' when"),
    wording(rf"Could not build wheels for {_NAME}"),
    wording(rf"some pyproject\.toml based projects \(?{_NAME}"),
    re.compile(rf"^Failed to build {_NAME}$", re.MULTILINE),
)
_UV = re.compile(rf"Failed to (?:build|download and build) [`']{_NAME}")
_UNPACKED = re.compile(r"pip-(?:install|req-build|wheel)-\w{1,20}[\\/]([A-Za-z0-9][\w.-]{0,120})_[0-9a-f]{32}")
_SCRIPT = re.compile(r"pip-(?:install|build|wheel)-\w{1,20}[\\/]([A-Za-z0-9][\w.-]{0,120})[\\/]setup\.py")
_METADATA = wording(
    r"Encountered error while (?:generating package metadata|trying to install package)\. "
    r"(?!See |from )([A-Za-z0-9][\w.-]{0,120})"
)
# pip 26 names what has no name yet by its address.
_ADDRESS = wording(
    r"Encountered error while generating package metadata\. from [^\s]{1,400}/"
    r"([A-Za-z0-9][A-Za-z0-9_.]{0,100}(?:-[A-Za-z_][\w.]{0,60}){0,6})(?:-\d[\w.+!]{0,60})?$"
)
_PROJECT = re.compile(rf"Project name: {_NAME}")
_STEP = re.compile(
    rf"(?:Building wheel for|Running setup\.py \w{{1,20}} for|Collecting|Building|Best match:|Processing) {_NAME}"
)
_ARCHIVE = re.compile(
    r"(?:Processing|Downloading|Using cached) (?:[^\s]{0,300}[\\/])?"
    r"([A-Za-z0-9][A-Za-z0-9_.]{0,100}(?:-[A-Za-z_][\w.]{0,60}){0,6})-\d[\w.+!]{0,60}\.(?:tar\.gz|tar\.bz2|tgz|zip)\b"
)
_OLD = re.compile(r"failed with error code \d{1,4} in [^\n]{0,300}[\\/]([A-Za-z0-9][\w.-]{0,120})[\\/]?$", re.MULTILINE)
_RECIPE = re.compile(r"[\\/]([A-Za-z0-9][\w.-]{0,80})_\d{10,16}[\\/](?:work|_h_env)")
_NEAR_CHARACTERS = 8_000


def _started(names: str) -> re.Pattern[str]:
    return wording(
        rf"No such file or directory: '(?:[^'\n]{{0,300}}[\\/])?{names}'"
        rf"|unable to execute '(?:[^'\n]{{0,300}}[\\/])?{names}'"
        rf"|command '(?:[^'\n]{{0,300}}[\\/])?{names}' failed: No such file"
    )


_COMPILER = r"(?:[\w.]{0,40}-){0,4}(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|cl|gfortran)(?:-\d{1,3})?(?:\.exe)?"

RULES = (
    Rule("build-no-compiler", wording(r"Microsoft Visual C\+\+ \d{1,2}\.\d(?: or greater)? is required")),
    Rule("build-no-compiler", wording(r"Unable to find vcvarsall\.bat|Could not find [^\n]{0,200}vswhere\.exe")),
    Rule(
        "build-no-compiler",
        wording(r"Unknown compiler\(s\)|no acceptable C compiler found|compiler cannot create executables"),
    ),
    Rule(
        "build-no-compiler",
        wording(r"requires (?:GCC|Clang|MSVC|a C\+\+ ?\d{2} compiler|a C compiler)(?: [<>]=? [\d.]{1,10})?"),
    ),
    Rule("build-no-compiler", re.compile(r"No CMAKE_C(?:XX)?_COMPILER could be found|CMAKE_C(?:XX)?_COMPILER not set")),
    Rule("build-no-compiler", _started(_COMPILER)),
    Rule(
        "build-no-compiler",
        wording(
            r"CMake (?:is not installed|must be installed)|could not find CMake|cmake: (?:command )?not found"
            r"|Problem with the CMake installation|could not find any instance of Visual Studio"
        ),
    ),
    Rule("build-no-compiler", re.compile(r"\b(?:gcc|cc|g\+\+|clang): (?:command )?not found"), weak=True),
    Rule(
        "build-no-rust",
        wording(
            r"Cargo, the Rust package manager, is not installed|can't find Rust compiler|requires Rust and Cargo"
            r"|Rust (?:toolchain|compiler) (?:is )?not found|Rust not found|cargo: (?:command )?not found"
            r"|requires rustc \d|install Rust from|you need Rust"
        ),
    ),
    Rule("build-no-rust", _started(r"(?:cargo|rustc)(?:\.exe)?")),
    Rule(
        "build-missing-library",
        wording(r"fatal error: '?(?P<library>[\w./+-]{1,120}\.h(?:pp|h)?)'?(?:: No such file| file not found)"),
    ),
    Rule("build-missing-library", wording(r"Cannot open include file: '(?P<library>[^'\n]{1,120})'")),
    Rule(
        "build-missing-library",
        wording(r"Package '?(?P<library>[\w.+-]{1,80})'?(?:, required by '[^'\n]{1,80}',)? (?:was )?not found"),
    ),
    Rule("build-missing-library", wording(r"No package '(?P<library>[\w.+-]{1,80})' found")),
    Rule(
        "build-missing-library",
        wording(
            r"Dependency \"?(?P<library>[\w.+-]{1,80})\"? not found|Dependency lookup for (?P<library2>[\w.+-]{1,80})"
        ),
    ),
    Rule("build-missing-library", re.compile(r"cannot find -l(?P<library>[\w.+-]{1,80})")),
    Rule("build-missing-library", re.compile(r"cannot open input file '(?P<library>[\w.+-]{1,80}\.lib)'")),
    Rule("build-missing-library", re.compile(r"\b(?P<library>[A-Za-z0-9]{1,40}[-_]config)\b[^\n]{0,60}not found")),
    Rule("build-missing-library", wording(r"Unable to run \"?(?P<library>[\w-]{1,60}-config)")),
    Rule("build-missing-library", re.compile(r"Can ?not find valid (?P<library>pkg-config) name")),
    Rule("build-missing-library", re.compile(r"Could NOT find (?P<library>[\w+-]{1,60})")),
    Rule("build-missing-library", wording(r"package configuration file provided by \"(?P<library>[\w+-]{1,60})\"")),
    Rule("build-missing-library", wording(r"Could not find function \w{1,60} in library (?P<library>[\w.-]{1,60})")),
    Rule(
        "build-missing-library", wording(r"headers or library files could not be found for (?P<library>[\w.-]{1,60})")
    ),
    Rule(
        "build-missing-library",
        wording(r"development (?:version|packages?|headers|files) (?:of|for) (?P<library>[\w.-]{1,60})"),
    ),
    Rule("build-missing-library", wording(r"Unable to load dependency (?P<library>[\w.-]{1,60})")),
    Rule(
        "build-missing-library",
        wording(
            r"(?:library|headers) (?:was|were|is|are|could) not (?:be )?found"
            r"|(?:locate|find) (?:the )?(?P<library>[\w.-]{1,60}) (?:library|headers)"
        ),
    ),
    Rule("build-compile-error", wording(r"error: command '[^'\n]{1,300}' failed with exit (?:code|status) \d")),
    Rule("build-compile-error", wording(r"error: Command '?\[[^\n]{1,1500}returned non-zero exit status"), weak=True),
    Rule("build-compile-error", wording(r"ninja: build stopped: subcommand failed|error: could not compile `")),
    Rule("build-failed-unspecified", _FAILED, weak=True),
)

_RAISED = re.compile(
    r"^[ \t]{0,40}(?P<type>(?:[A-Za-z_]\w{0,60}\.){0,6}[A-Z]\w{0,60}(?:Error|Exception|Exit|Required|Warning)): "
    r"(?P<words>[^\n]{1,400})",
    re.MULTILINE,
)
_OF_A_COMPILER = re.compile(
    r"command '|exit (?:code|status)|CalledProcessError|InstallationError|Setup script exited|CompileError: command"
)


def findings(text: str) -> Iterator[Finding]:
    """The causes of failed builds, each with the package that was being built."""
    failed = _FAILED.search(text)
    if failed is None:
        return
    seen = [finding for rule in RULES for finding in rule.findings(text)]
    raised = _raised(text)
    for finding in [*seen, *([raised] if raised else [])]:
        yield replace(finding, package=_builder_of(text, finding.start), facts=_library(finding.facts))


def _library(facts: Facts) -> Facts:
    return {("library" if key == "library2" else key): value for key, value in facts.items()}


def _raised(text: str) -> Finding | None:
    """The exception that ended a build script: the last one before the output of the first failed build ends."""
    last: re.Match[str] | None = None
    for match in _RAISED.finditer(text):
        if _OF_A_COMPILER.search(match[0]):
            continue
        if last is not None and _END.search(text, last.end(), match.start()):
            break
        last = match
    if last is None:
        return None
    reason = f"{last['type'].rsplit('.', 1)[-1]}: {last['words']}"
    return Finding("build-script-error", last.start(), last.end(), None, {"reason": reason})


def _builder_of(text: str, position: int) -> str | None:
    """The package whose build the position lies in, by the most trustworthy sign."""
    for pattern in _AFTER:
        after = pattern.search(text, position, position + _AFTER_CHARACTERS)
        if after:
            return after[1]
    before = max(0, position - _NEAR_CHARACTERS)
    near = (before, position + _NEAR_CHARACTERS)
    candidates = (
        _last(_UV, text, 0, position + 1),
        _last(_UNPACKED, text, *near),
        _last(_SCRIPT, text, *near),
        _last(_RECIPE, text, *near),
        _first(_METADATA, text, position),
        _last(_PROJECT, text, *near),
        _first(_OLD, text, position),
        _last_of((_STEP, _ARCHIVE), text, position),
        _first(_ADDRESS, text, position),
    )
    return next((name for name in candidates if name), None)


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> str | None:
    names = pattern.findall(text, start, end)
    return str(names[-1]) if names else None


def _last_of(patterns: tuple[re.Pattern[str], ...], text: str, end: int) -> str | None:
    """The name that stands nearest before the end, of whichever pattern."""
    last = [matches[-1] for pattern in patterns if (matches := list(pattern.finditer(text, 0, end)))]
    return max(last, key=lambda match: match.end())[1] if last else None


def _first(pattern: re.Pattern[str], text: str, start: int) -> str | None:
    match = pattern.search(text, start)
    return match[1] if match else None
