"""uv's wording, of the forms `× ... ├─▶ ...` (up to 0.12) and `error: ... cause: ...` (0.13)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recto.problems.diagnosis.derivation import proofs
from recto.problems.diagnosis.finding import Facts, Finding, Rule, wording
from recto.problems.diagnosis.requirement_line import facts_of_line

_QUOTED = r"[`']([^`'\n]{1,300})[`']"


def _parse_failure(match: re.Match[str], text: str) -> Facts:
    """The line that uv shows under the reason, above its carets."""
    rest = text[match.end() : match.end() + 2000].split("\n")
    shown = next((line.strip() for line in rest if line.strip()), "")
    return facts_of_line(shown, match["reason"].strip())


RULES = (
    Rule(
        "invalid-requirement",
        re.compile(
            r"Couldn't parse requirement in [`'](?P<file>[^`'\n]{1,300})[`'](?: at position \d{1,9}|:\d{1,9}:\d{1,9})?"
            r"[\s:]{1,40}(?:[Cc]ause(?:d by)?: )?(?P<reason>[^\n]{1,300})"
        ),
        read=_parse_failure,
    ),
    Rule(
        "invalid-requirement",
        wording(r"Failed to parse: [`'](?P<line>[^`'\n]{1,300})[`']"),
        read=lambda match, text: facts_of_line(match["line"], "uv cannot read it"),
    ),
    Rule(
        "invalid-requirement",
        wording(
            r"Unexpected (?P<line>'[^'\n]{1,40}'|`[^`\n]{1,40}`), expected '-c', [^\n]{1,80} the start of a requirement"
            r"(?: at|:) (?P<file>[^\n]{1,300}?):(?P<line_number>\d{1,7}):\d{1,7}"
        ),
        {"reason": "a line begins with a name", "suggestion": "polars>=1.2"},
    ),
    Rule("file-not-found", wording(r"error: File not found: [`']?(?P<path>[^`'\n]{1,300})[`']?")),
    Rule("file-not-found", wording(r"failed to read from file [`'](?P<path>[^`'\n]{1,300})[`']: No such file")),
    Rule("file-not-found", wording(r"failed to open file [`'](?P<path>[^`'\n]{1,300})[`']: No such file")),
    Rule("file-not-found", wording(r"error: No [`'](?P<path>[\w.-]{1,60})[`'] found in (?:the )?current directory")),
    Rule("file-not-found", wording(r"Distribution not found at: (?P<path>[^\n]{1,300})")),
    Rule("file-not-found", wording(r"The wheel filename [`'\"](?P<path>[^`'\"\n]{1,300})[`'\"] is invalid: ")),
    Rule(
        "no-wheel",
        wording(
            r"Failed to (?:build|download and build):? [`'](?P<package>[A-Za-z0-9][\w.-]{0,120})[^`'\n]{0,200}[`']"
            r"\s{1,40}(?:[Cc]ause(?:d by)?: )?Building source distributions (?:for [^\n]{1,120} )?is disabled"
        ),
        read=lambda match, text: {"wanted": match["package"]},
    ),
    Rule(
        "hash-mismatch",
        wording(r"Hash mismatch for [`'](?P<package>[A-Za-z0-9][\w.-]{0,120})[^`'\n]{0,120}[`']"),
    ),
    Rule(
        "hash-mismatch",
        wording(r"Hash-checking is enabled, but no hashes were provided or computed for: (?P<package>[\w.-]{1,120})"),
    ),
    Rule(
        "hash-mismatch",
        wording(
            r"In [`']--require-hashes[`'] mode, all requirements must have (?:a hash|their versions pinned)"
            r"[^\n:]{1,60}: (?P<package>[\w.-]{1,120})"
        ),
    ),
    Rule(
        "requires-python",
        wording(
            r"resolved to Python [\d.]{1,20}, which is incompatible with the project's Python requirement:"
            r" [`'](?P<needs>[^`'\n]{1,80})[`']"
        ),
    ),
    Rule(
        "requires-python",
        wording(r"Python version \([\d.]{1,20}\) does not satisfy the [^\n(]{1,60} \((?P<needs>[^()\n]{1,80})\)"),
    ),
    Rule(
        "wheel-unsupported",
        wording(
            r"A (?:path|URL) dependency is incompatible with the current platform: (?:[^\s]{0,300}/)?"
            r"(?P<package>[A-Za-z0-9][\w.]{0,120})-"
        ),
    ),
    Rule(
        "wheel-unsupported",
        wording(
            r"Distribution [`'](?P<package>[A-Za-z0-9][\w.-]{0,120})[^`'\n]{0,200}[`']"
            r" can't be installed because it doesn't"
        ),
    ),
    Rule(
        "no-wheel",
        wording(
            r"Package [`'](?P<package>[A-Za-z0-9][\w.-]{0,120})[`'] can't be installed because it is marked as"
            r" [`']--no-build[`'] but has no binary distribution"
        ),
        read=lambda match, text: {"wanted": match["package"]},
    ),
    Rule(
        "network-unreachable",
        wording(r"Packages were unavailable because the network was disabled"),
        {"reason": "the network is turned off, and it is not in the cache"},
    ),
    Rule(
        "externally-managed",
        wording(r"The interpreter at [`'][^`'\n]{1,300}[`'] is externally managed"),
    ),
    Rule(
        "environment-missing",
        wording(r"(?P<reason>No virtual environment (?:or system Python installation )?found)"),
        {"reason": "no virtual environment was found"},
    ),
    Rule("environment-missing", wording(r"(?P<reason>No interpreter found[^\n]{0,120})")),
    Rule(
        "environment-missing",
        wording(r"Failed to inspect Python interpreter"),
        {"reason": "the Python that was found does not start"},
    ),
    Rule(
        "index-auth",
        wording(r"could not be queried due to a lack of valid authentication|returned a 40[13] "),
    ),
    # Of a wheel that ends too early the reason differs with the byte that it ends at; a full disk or a
    # network that broke is found by itself.
    Rule(
        "download-corrupt",
        wording(
            r"Failed to extract archive: (?P<package>[A-Za-z0-9][\w.]{0,120})-\d[^\s/]{1,200}\.(?:whl|zip|tar\.gz)"
        ),
        weak=True,
    ),
    Rule("index-error", wording(r"HTTP status client error \(429 |Unsupported [`']Content-Type[`'] ")),
    Rule(
        "download-corrupt",
        wording(
            r"Package metadata name [`'][^`'\n]{1,120}[`'] does not match given name [`'](?P<package>[\w.-]{1,120})[`']"
        ),
    ),
)


# What `uv pip check` says of each package that lacks something or has another version of it.
_UNFIT = wording(
    r"The package [`'](?P<who>[^`'\n]{1,120})[`'] requires [`'](?P<needs>[^`'\n]{1,300})[`'], but"
    r" (?:[`'](?P<has>[^`'\n]{1,80})[`'] is installed|it's not installed)"
)


def findings(text: str) -> Iterator[Finding]:
    """The causes that uv names."""
    for proof in proofs(text):
        cause = proof.cause()
        yield Finding(cause.code, proof.start, proof.end, cause.package, cause.facts)
    for rule in RULES:
        yield from rule.findings(text)
    for match in _UNFIT.finditer(text):
        package = re.split(r"[<>=!~\[; ]", match["needs"], maxsplit=1)[0]
        has = f"there is {package} {match['has']}" if match["has"] else "it is not installed"
        reason = f"{match['who']} needs {match['needs']}, and {has}"
        yield Finding("incompatible-installed", match.start(), match.end(), package, {"reason": reason})
