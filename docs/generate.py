"""Writes the reference pages that are made from code. `scripts/docs` runs it; a test says when it has to be run."""

from pathlib import Path

from confusion import confusion_page

from recto.cli.reference import commands_page
from recto.problems.reference import catalogue_page
from recto.settings.reference import reference_page

PAGES = {
    "commands.md": commands_page,
    "diagnosis.md": confusion_page,
    "problems.md": catalogue_page,
    "settings.md": reference_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        text = page()
        # The collection of logs that one page is made from is not everywhere.
        if text is not None:
            (Path(__file__).parent / "reference" / name).write_text(text, encoding="utf-8")
