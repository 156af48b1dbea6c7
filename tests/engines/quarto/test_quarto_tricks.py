"""Cells and runs that leave links, pipes, giants and deep trees where Quarto's outputs and evidence are read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from quarto_jobs import codes, job

from fakes import CountingSandbox
from recto.engines.base import OUTPUT_BYTES_MAX, Rendered
from recto.engines.quarto import QuartoEngine, evidence
from recto.engines.quarto.outputs import Beside, deliver, throw_away
from recto.problems import EngineError
from recto.problems.forms.as_json import json_form
from recto.progress import silent
from recto.sandbox.none import NoSandbox

pytest_plugins = ("quarto_fixtures",)

SECRET = "marker-55aa-of-the-outside"
Fake = Callable[..., Rendered]


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A directory outside of the project, with a secret."""
    directory = tmp_path / "away"
    (directory / "figures").mkdir(parents=True)
    for name in ("secret", "paper.html", "figures/secret", "log"):
        (directory / name).write_text(SECRET)
    (directory / "log").write_text(f'{{"level": 40, "msg": "{SECRET}"}}\n')
    return directory


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Renders a document without cells with a Quarto that is this shell script, in the project `tmp_path/project`."""

    def call(script: str, output_dir: Path | None = None) -> Rendered:
        (tmp_path / "project").mkdir(exist_ok=True)
        launcher = tmp_path / "fake" / "bin" / "quarto"
        launcher.parent.mkdir(parents=True)
        launcher.write_text(f"#!/bin/sh\n{script}\n")
        launcher.chmod(0o755)
        wanted = job(tmp_path / "project", tmp_path / "prefix", "Words.\n", output_dir=output_dir)
        return QuartoEngine(launcher, NoSandbox()).render(wanted, silent)

    return call


def told(rendered: Rendered) -> str:
    """All that anybody is shown of a render."""
    pages = "".join(path.read_text(errors="replace") for path in rendered.outputs)
    return f"{json_form(rendered.problems)}{rendered.log}{pages}"


_PAGE = "echo page > paper.html; echo 'Output created: paper.html' >&2"


@pytest.mark.makes("output-unreadable")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("ln -s {away}/secret paper.html", "it is a link, or lies behind one"),
        ("mkfifo paper.html", "it is no regular file"),
        ("mkdir paper.html", "it is no regular file"),
        ("true", "there is no such file"),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_output_that_is_no_plain_file_is_no_output(
    fake: Fake, tmp_path: Path, away: Path, script: str, reason: str, elsewhere: bool
) -> None:
    rendered = fake(
        f"{script.format(away=away)}; echo 'Output created: paper.html' >&2",
        output_dir=tmp_path / "out" if elsewhere else None,
    )
    assert (rendered.status, codes(rendered), rendered.outputs) == ("failure", ["output-unreadable"], ())
    assert reason in rendered.problems[0].message
    assert SECRET not in told(rendered)
    # Nothing half done is left, and what a link pointed at is.
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["paper.qmd"]
    assert (away / "secret").read_text() == SECRET


@pytest.mark.makes("output-too-large")
@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_output_without_a_byte_in_it_is_too_large(fake: Fake, tmp_path: Path, elsewhere: bool) -> None:
    rendered = fake(
        "truncate -s 1T paper.html; echo 'Output created: paper.html' >&2",
        output_dir=tmp_path / "out" if elsewhere else None,
    )
    assert (rendered.status, codes(rendered), rendered.outputs) == ("failure", ["output-too-large"], ())
    assert "it has more than 500 MB" in rendered.problems[0].message
    assert OUTPUT_BYTES_MAX == 500_000_000


@pytest.mark.makes("output-left-out")
def test_support_files_come_without_links_pipes_and_depth(fake: Fake, tmp_path: Path, away: Path) -> None:
    rendered = fake(
        f"mkdir -p paper_files/libs; echo figure > paper_files/one.png; ln -s {away}/secret paper_files/link; "
        f"ln -s {away}/figures paper_files/figures; mkfifo paper_files/libs/pipe; "
        "d=paper_files; for i in $(seq 40); do d=$d/d; done; mkdir -p $d; echo deep > $d/deep; " + _PAGE,
        output_dir=tmp_path / "out",
    )
    out = tmp_path / "out"
    assert (rendered.status, codes(rendered)) == ("success", ["output-left-out"])
    assert rendered.outputs == (out / "paper.html", out / "paper_files" / "one.png")
    assert sorted(path.name for path in out.rglob("*")) == ["one.png", "paper.html", "paper_files"]
    assert SECRET not in told(rendered)
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["paper.qmd"]


def test_support_that_is_a_link_or_too_much_is_not_delivered(fake: Fake, tmp_path: Path, away: Path) -> None:
    rendered = fake(f"ln -s {away} paper_files; {_PAGE}", output_dir=tmp_path / "out")
    assert (codes(rendered), rendered.outputs) == (["output-left-out"], (tmp_path / "out" / "paper.html",))
    document = tmp_path / "project" / "paper.qmd"
    (tmp_path / "project" / "paper.html").write_text("page")
    (tmp_path / "project" / "paper_files").mkdir()
    with (tmp_path / "project" / "paper_files" / "data").open("wb") as file:
        file.truncate(OUTPUT_BYTES_MAX + 1)
    with pytest.raises(EngineError) as refused:
        deliver("paper.html", document, tmp_path / "project", tmp_path / "out")
    assert [found.code for found in refused.value.problems] == ["output-too-large"]


def test_what_lies_at_the_place_of_delivery_is_replaced_and_not_followed(
    fake: Fake, tmp_path: Path, away: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "paper.html").symlink_to(away / "secret")
    (tmp_path / "out" / "paper_files").symlink_to(away)
    rendered = fake(f"mkdir paper_files; echo figure > paper_files/secret; {_PAGE}", output_dir=tmp_path / "out")
    assert (rendered.status, len(rendered.outputs)) == ("success", 2)
    assert not any(path.is_symlink() for path in (tmp_path / "out").iterdir())
    assert (away / "secret").read_text() == SECRET


def test_a_log_and_evidence_in_the_private_home_are_not_followed(fake: Fake, away: Path) -> None:
    rendered = fake(f"ln -sf {away}/log $HOME/quarto.jsonl; ln -sf {away}/secret $HOME/kernel.json; exit 1")
    assert rendered.status == "failure"
    assert SECRET not in told(rendered)


@pytest.mark.parametrize("planted", ["pipe", "sparse", "nul", "half", "number", "list", "deep"])
def test_evidence_that_is_none_counts_as_none(tmp_path: Path, planted: str) -> None:
    file = tmp_path / "kernel.json"
    if planted == "pipe":
        os.mkfifo(file)
    elif planted == "sparse":
        with file.open("wb") as open_file:
            open_file.truncate(1 << 40)
    else:
        written = {
            "nul": r'{"prefix": "a\u0000b", "executable": "c"}',
            "half": r'{"prefix": "a\ud800b", "executable": "c"}',
            "number": '{"prefix": 1e400, "executable": "c"}',
            "list": "[1]",
            "deep": "[" * 50_000,
        }
        file.write_text(written[planted])
    assert evidence.read(file) is None


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        '{"level": "40", "msg": 1}',
        '{"level": 40, "msg": {"a": [1]}}',
        '{"level": 40, "msg": ' + "[" * 9000,
        "\xff",
    ],
    ids=lambda line: line[:40],
)
def test_a_line_of_quartos_log_that_is_none_counts_as_none(fake: Fake, tmp_path: Path, line: str) -> None:
    (tmp_path / "lines").write_text(f'{line}\n{{"level": 40, "msg": "ERROR: said in full"}}\n', encoding="latin-1")
    rendered = fake(f"cat {tmp_path}/lines > $HOME/quarto.jsonl; exit 1")
    assert codes(rendered) == ["render-failed"]
    assert "said in full" in rendered.problems[0].message


def test_nothing_is_writable_that_two_renders_share(tmp_path: Path) -> None:
    launcher, project = tmp_path / "fake" / "bin" / "quarto", tmp_path / "project"
    launcher.parent.mkdir(parents=True)
    project.mkdir()
    launcher.write_text(f"#!/bin/sh\n{_PAGE}\n")
    launcher.chmod(0o755)
    sandbox = CountingSandbox()
    wanted = job(project, tmp_path / "prefix", "Words.\n", environment={"XDG_CACHE_HOME": str(tmp_path / "shared")})

    for _ in range(2):
        assert QuartoEngine(launcher, sandbox).render(wanted, silent).status == "success"

    first, second = (set(command.writable) for command in sandbox.commands)
    assert first & second == {project}


def test_a_directory_turned_into_a_link_is_not_cleared_through(tmp_path: Path, away: Path) -> None:
    document = tmp_path / "project" / "sub" / "paper.qmd"
    document.parent.mkdir(parents=True)
    beside = Beside.look(document, tmp_path / "project")
    document.parent.rmdir()
    document.parent.symlink_to(away)
    beside.clear_new()
    beside.clear_transient()
    throw_away("sub/paper.html", tmp_path / "project")
    assert (away / "paper.html").read_text() == SECRET


def test_a_project_file_that_leads_outside_names_no_format(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "secret.yml").write_text(f"format: {SECRET}\n")
    (tmp_path / "project" / "_quarto.yml").symlink_to(tmp_path / "secret.yml")
    rendered = fake('echo "$@" >&2; ' + _PAGE)
    assert rendered.status == "success"
    assert SECRET not in told(rendered)


@pytest.mark.network
def test_a_cell_plants_a_deep_tree_and_links_and_the_render_ends_as_it_should(
    quarto: Path, kernel_prefix: Path, tmp_path: Path, away: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes, project = tmp_path / "homes", tmp_path / "project"
    for directory in (homes, project):
        directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(homes))
    cell = f"""
import os
os.makedirs("paper_files")
os.symlink("{away}/secret", "paper_files/secret")
at = os.open(os.environ["HOME"], os.O_RDONLY)
os.symlink("{away}/log", "log", dir_fd=at)
for _ in range(2000):
    os.mkdir("d", dir_fd=at)
    at, old = os.open("d", os.O_RDONLY, dir_fd=at), at
    os.close(old)
"""
    wanted = job(project, kernel_prefix, f"```{{python}}\n{cell}```\n", output_dir=tmp_path / "out")
    rendered = QuartoEngine(quarto, NoSandbox()).render(wanted, silent)
    assert (rendered.status, codes(rendered)) == ("success", ["output-left-out"])
    assert SECRET not in told(rendered)
    assert list(homes.iterdir()) == []
