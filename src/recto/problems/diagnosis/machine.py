"""The machine under a tool, in the words of operating systems: disks, permissions, files in use, memory, Pythons."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from recto.problems.diagnosis.finding import Facts, Finding, Rule, wording

_PATH = re.compile(r"['`\"](?P<path>[^'`\"\s,][^'`\"\n]{0,399})['`\"]")
_INSTALLED = re.compile(r"(?:site-packages|dist-packages)[\\/]{1,4}(?P<name>~?[A-Za-z0-9_][\w.-]{0,100})")
_SCRIPT = re.compile(r"(?:Scripts|bin)[\\/]{1,4}(?P<name>[A-Za-z0-9_][\w-]{0,100})(?:\.exe)?['`\"]")
_UNINSTALLING = re.compile(r"Attempting uninstall: ([A-Za-z0-9][\w.-]{0,100})")
_HANDLED = re.compile(
    r"Failed to (?:download|install|unzip|extract|prepare|read|build)[^\n`]{0,40}`([A-Za-z0-9][\w.-]{0,100})"
)
_NOT_PACKAGES = frozenset({"python", "python3", "pip", "activate", "__pycache__"})


def _place(match: re.Match[str], text: str) -> Facts:
    """The path after the words of the system, and the package that it belongs to."""
    facts: dict[str, str] = {}
    around = text[match.end() : match.end() + 700]
    line_start = text.rfind("\n", 0, match.start()) + 1
    path = _PATH.search(around) or _PATH.search(text, line_start, match.start())
    if path:
        facts["path"] = re.sub(r"\\{2,4}", r"\\", path["path"])
        reason = facts["path"].replace("\\", "/").rsplit("/", 1)[-1]
        facts["reason"] = f"{_words(match)}: {reason}"
    else:
        facts["reason"] = _words(match)
    package = _package(path[0] if path else "", text, match.start())
    return facts | ({"package": package} if package else {})


def _words(match: re.Match[str]) -> str:
    return " ".join(match[0].split()).removesuffix(":")


def _package(path: str, text: str, position: int) -> str | None:
    installed = _INSTALLED.search(re.sub(r"\s", "", path)) or _SCRIPT.search(path)
    if installed:
        name = installed["name"].split("-", 1)[0].removesuffix(".libs").removesuffix(".py").removesuffix(".dist")
        return _restored(name, text[:position]) if name.lower() not in _NOT_PACKAGES else None
    before = _HANDLED.findall(text, max(0, position - 4000), position)
    return before[-1] if before else None


def _restored(name: str, before: str) -> str | None:
    """The package whose directory pip renamed with a tilde for its first letter while uninstalling it."""
    if not name.startswith("~"):
        return name
    for candidate in reversed(_UNINSTALLING.findall(before)):
        if candidate.lower().replace("-", "_").endswith(name.strip("~").lower()):
            return str(candidate)
    return None


def _launched(match: re.Match[str], text: str) -> Facts:
    return {"reason": _words(match)[:100]}


RULES = (
    Rule(
        "disk-full",
        wording(
            r"No space left on device|\[Errno 28\]|There is not enough space on the disk|\[WinError 112\]"
            r"|Disk quota exceeded"
        ),
        read=_place,
    ),
    Rule(
        "permission-denied",
        wording(
            r"\[WinError 5\]|\[Errno 13\]|\[Errno 30\]|[Pp]ermission denied|Access is denied|Read-only file system"
        ),
        read=_place,
    ),
    Rule(
        "os-file-error",
        wording(
            r"\[WinError (?:32|33|206)\]|\[Errno 36\](?! File)|File name too long|Text file busy"
            r"|os error (?:32|33|206)\b"
        ),
        read=_place,
    ),
    Rule("os-file-error", wording(r"due to an OSError: \[(?:Errno 2|Errno 22|WinError 3|WinError 2)\]"), read=_place),
    Rule("os-file-error", wording(r"might have occurred since this system does not have Windows Long Path"), weak=True),
    Rule("externally-managed", wording(r"externally-managed-environment|This environment is externally managed")),
    Rule(
        "out-of-memory",
        wording(
            r"CUDA out of memory|OutOfMemoryError|Cannot allocate memory|Unable to allocate [\d.]{1,12} [KMGT]iB"
            r"|std::bad_alloc|CUDA_ERROR_OUT_OF_MEMORY|JavaScript heap out of memory|Out of memory: Killed process"
        ),
    ),
    Rule("out-of-memory", re.compile(r"^(?:MemoryError\b|Killed\s{0,9}$|ResourceExhaustedError: OOM)", re.MULTILINE)),
    Rule(
        "environment-missing",
        wording(
            r"did not find executable at [^\n]{1,200}|No Python at [^\n]{1,200}|No suitable Python runtime found"
            r"|Could not find an activated virtualenv|Python was not found; run without arguments"
            r"|Unable to locate an installed version of Python 3|ensurepip is not available"
            r"|version [`'][^'\n]{1,60}' is not installed|Specified QUARTO_PYTHON '[^'\n]{1,300}' does not exist"
            r"|python3?: command not found|bin/activate: No such file or directory"
            r"|No virtualenv found|not a valid virtual ?environment|EnvironmentNameNotFound: [^\n]{1,120}"
        ),
        read=_launched,
    ),
)


def findings(text: str) -> Iterator[Finding]:
    """The causes that lie in the machine; weak where the tool only warned of them."""
    for rule in RULES:
        for finding in rule.findings(text):
            yield replace(finding, weak=finding.weak or _in_warning(text, finding.start))


def _in_warning(text: str, position: int) -> bool:
    start = text.rfind("\n", 0, position) + 1
    return text[start : start + 12].lstrip().startswith("WARN")
