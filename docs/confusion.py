"""The page on what diagnosis was measured on, made from the collection of real logs where that is at hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from recto.problems.diagnosis import decode, diagnose

LOGS = Path(__file__).parents[2] / "shared" / "corpus" / "logs"

_HEAD = """\
# Diagnosis, measured

`recto diagnose` is measured on {logs} real failure logs, each labelled with its cause and, where there is one, the
package at fault. The right cause comes first in {right} of {logs}; the right package is named with it in {packages} of
the {named} that have one. The rules are written for the tools' message formats, not for these logs: the wordings that
they read beyond them are in `tests/problems/wordings.txt`.

A row is a cause as labelled and as it comes first; `≠` marks where the two differ. Codes are those of the
[catalogue](problems.md).

| logs | labelled | first | |
| ---: | --- | --- | --- |
"""


def measured() -> list[tuple[dict[str, str | None], str, str | None]]:
    """Each label with the first code and package that diagnosis gives for its log."""
    labels = [json.loads(line) for line in (LOGS / "labels.jsonl").read_text("utf-8").splitlines()]
    firsts = [diagnose(decode((LOGS / f"{label['id']}.log").read_bytes()))[0] for label in labels]
    return [(label, first.code, first.package) for label, first in zip(labels, firsts, strict=True)]


def confusion_page() -> str | None:
    """The text of `docs/reference/diagnosis.md`, None where the collection is not at hand."""
    if not (LOGS / "labels.jsonl").exists():
        return None
    found = measured()
    named = [(label["package"], package) for label, _, package in found if label["package"]]
    pairs = Counter((label["kind"], code) for label, code, _ in found)
    head = _HEAD.format(
        logs=len(found),
        right=sum(count for (kind, code), count in pairs.items() if kind == code),
        packages=sum(_normal(wanted) == _normal(got) for wanted, got in named),
        named=len(named),
    )
    rows = [
        f"| {count} | `{kind}` | `{code}` | {'' if kind == code else '≠'} |\n"
        for (kind, code), count in sorted(pairs.items())
    ]
    return head + "".join(rows)


def _normal(name: str | None) -> str:
    return (name or "").lower().replace("_", "-")
