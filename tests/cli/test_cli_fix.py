"""`recto check --fix` as a person uses it: the edits are shown, made, and what is left is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import Recto, valid

pytest_plugins = ("cli_fixtures",)
pytestmark = pytest.mark.usefixtures("known")

HABITS = b"humanize = 4.9.0\r\n--index-url https://packages.example/simple\r\nos\r\nsix=1.16.0=pyhd_0\r\n# kept"


def test_lines_of_other_tools_are_mended(recto: Recto, project: Path) -> None:
    file = project / "requirements.txt"
    file.write_bytes(HABITS)
    before = recto("check", "--no-resolve")
    assert (before.code, file.read_bytes()) == (1, HABITS)
    done = recto("check", "--no-resolve", "--fix")
    assert done.code == 0, done.err
    assert file.read_bytes() == b"humanize==4.9.0\r\nsix==1.16.0\r\n# kept"
    for line in ("-humanize = 4.9.0", "+humanize==4.9.0", "-os"):
        assert line in done.err.splitlines()
    # Each is told before its edit is made.
    told = [line for line in done.err.splitlines() if line.startswith("requirements.txt:")]
    assert [line.partition(" ")[0] for line in told] == [f"requirements.txt:{number}:" for number in (1, 2, 3, 4)]
    assert told[3].endswith("Write `six==1.16.0`.")
    again = recto("check", "--no-resolve", "--fix")
    assert (again.code, "---" in again.err) == (0, False)


def test_what_no_edit_mends_is_said_and_left(recto: Recto, project: Path) -> None:
    file = project / "requirements.txt"
    file.write_text("os\ngit+https://code.example/x.git\n")
    done = recto("check", "--no-resolve", "--fix", "--json")
    assert done.code == 1
    assert valid(done.json, "check")["problems"][0]["code"] == "declaration-url"
    assert file.read_text() == "git+https://code.example/x.git\n"


def test_the_front_matter_of_a_document_is_mended(recto: Recto, project: Path) -> None:
    document = project / "paper.qmd"
    document.write_text("---\ntitle: x\npython:\n  dependencies:\n    - humanize=4.9.0\n---\n\nText\n")
    done = recto("check", document, "--no-resolve", "--fix")
    assert done.code == 0, done.err
    assert "    - humanize==4.9.0\n" in document.read_text()


@pytest.mark.network
def test_a_version_that_is_not_there_goes_with_its_hashes(recto: Recto, project: Path) -> None:
    file = project / "requirements.txt"
    hashes = f"--hash=sha256:{'0' * 64} \\\r\n    --hash=sha256:{'1' * 64}"
    file.write_bytes(f"# pinned\r\nhumanize==4.9.0.99 \\\r\n    {hashes}\r\n    # via paper\r\n".encode())
    done = recto("check", "--fix")
    assert done.code == 0, done.err
    assert file.read_bytes() == b"# pinned\r\nhumanize==4.9.0\r\n    # via paper\r\n"
    assert "Write `humanize==4.9.0`, without its hashes." in done.err


def test_a_merge_inside_a_continued_line_is_left_as_it_is(recto: Recto, project: Path) -> None:
    file = project / "requirements.txt"
    text = (
        f"<<<<<<< HEAD\nhumanize==4.8.0 \\\n=======\nhumanize==4.9.0 \\\n>>>>>>> x\n    --hash=sha256:{'0' * 64}\nos\n"
    )
    file.write_text(text)
    done = recto("check", "--no-resolve", "--fix", "--json")
    assert (done.code, file.read_text()) == (1, text)
    assert "merge-conflict" in [found["code"] for found in done.json["problems"]]


def test_a_file_that_may_not_be_written_is_named(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").symlink_to("/dev/full")
    done = recto("check", "--no-resolve", "--fix")
    assert done.code == 1
    assert "requirements.txt" in done.err


def test_a_directory_in_the_place_of_a_file_declares_nothing(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").mkdir()
    assert recto("check", "--no-resolve").code == 0
