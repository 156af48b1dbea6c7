"""The guide to the rules is true: its documents are read, and it has every key and what it makes a reader see."""

from __future__ import annotations

import re
from pathlib import Path

from recto.index.rules.chosen import KEYS
from recto.index.rules.configuration import read_choices

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "gateway-rules.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`]*)` \|", GUIDE, re.MULTILINE)


def test_every_key_has_a_row_whose_example_is_a_document() -> None:
    assert sorted(row.partition(" =")[0] for row in ROWS) == sorted(KEYS)
    for row in ROWS:
        read_choices(f"[rules]\n{row}\n".encode(), "guide", with_advisories=True)


def test_the_document_of_the_guide_does_what_is_said_of_it() -> None:
    (document,) = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    rulebook = read_choices(document.encode(), "guide", with_advisories=True).over()
    everybody = {rule.name for rule in rulebook.rules_for("")}
    assert everybody == {"deny", "age", "vulnerable", "malicious", "project-status", "wheels-only"}
    assert everybody - {rule.name for rule in rulebook.rules_for("biology")} == {"deny"}
