"""`recto run` again: the short way of the real command line, what it imports and what it does not do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from commandline import Ran, Recto
from recto.cli.parser import parser
from recto.cli.shortcut import directory_and_command

pytest_plugins = ("cli_fixtures",)
pytestmark = pytest.mark.usefixtures("known")

# Writes what happens once everything is imported: the event's name and its first argument, one JSON array a line.
_WATCHED = """
import sys
from recto.__main__ import main
# The last one is what `os.execvpe` imports.
import json, os, warnings
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def watch(event, arguments):
    if event in ("open", "import", "exec", "compile") or event.startswith(("os.", "subprocess.", "socket.", "glob.")):
        os.write(log, (json.dumps([event, str(arguments[0]) if arguments else ""]) + "\\n").encode())
del sys.argv[1]
sys.addaudithook(watch)
main()
"""

# Writes which modules there are when the first directory for a kernel is made, one a line.
_AT_THE_START = """
import sys
from recto.__main__ import main
file = open(sys.argv[1], "x")
del sys.argv[1]
def watch(event, arguments):
    if event == "tempfile.mkdtemp" and not file.closed:
        with file:
            file.write("\\n".join(sys.modules))
sys.addaudithook(watch)
main()
"""


@pytest.fixture
def declared(project: Path) -> Path:
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    return project


@pytest.fixture
def ready(recto: Recto, declared: Path, data: Path) -> Path:
    """The project, its environment built and finished, and one run behind it."""
    assert recto("env", "build").code == 0
    _finish(recto, data)
    assert recto("run", "--", "true").code == 0
    return declared


def _finish(recto: Recto, data: Path) -> None:
    """Returns when no environment waits for bytecode: a process that a build started may be at it."""
    for _ in range(200):
        if not any((data / "v1" / "unfinished").iterdir()):
            return
        assert recto("env", "finish").code == 0
    raise AssertionError("an environment is never finished")


def _imports(argv: list[str], recto: Recto) -> set[str]:
    """The modules that a process imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *argv], env=recto.variables, cwd=recto.cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line[2].strip() for line in lines[1:]}


def _is_short(ran: Ran) -> bool:
    return "recto.cli.main" not in ran.err


def _telling(recto: Recto) -> Recto:
    """The same command, which tells on stderr what it imports."""
    return replace(recto, argv=(sys.executable, "-X", "importtime", "-m", "recto"))


@pytest.mark.network
def test_a_run_on_a_ready_environment_imports_these_modules_and_no_other(recto: Recto, ready: Path) -> None:
    code = "from recto.__main__ import main; main()"
    imported = _imports(["-c", code, "run", "--", "true"], recto) - _imports(["-c", "pass"], recto)
    # Whoever adds to this list adds to the start of every process that `recto run` stands before; see
    # docs/performance.md for what each costs. `re`, `json`, `pathlib` and `dataclasses` cost more than all of these.
    assert imported == {
        "__future__",
        "_blake2",
        "errno",
        "fcntl",
        "recto",
        "recto.__main__",
        "recto.cli",
        "recto.cli.becoming",
        "recto.cli.shortcut",
        "recto.cli.streams",
        "recto.deferred",
        "recto.interpreters",
        "recto.interpreters.states",
        "recto.recall",
        "recto.recall.evidence",
        "recto.recall.holding",
        "recto.recall.memo",
        "recto.recall.question",
        "recto.store",
        "recto.store.holds",
        "recto.version",
        # By `os.execvpe`.
        "warnings",
    }


@pytest.mark.network
def test_a_run_on_a_ready_environment_opens_what_it_must_and_starts_nothing(
    recto: Recto, ready: Path, tmp_path: Path
) -> None:
    log = tmp_path / "events"
    watched = replace(recto, argv=(sys.executable, "-c", _WATCHED, str(log)))
    assert watched("run", "--", "true").code == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    # The last thing that this process does; `os.execvpe` tries the directories of the PATH, one event each.
    assert events[-1][0] == "os.exec"
    kinds = {event for event, _ in events}
    assert kinds <= {"open", "os.exec", "os.utime", "import"}, kinds
    assert [argument for event, argument in events if event == "import"] == []
    opened = [Path(argument).name for event, argument in events if event == "open"]
    # The memo, the declaration and what stands beside it, the configuration, record and mark of the environment, and
    # the environment itself. `os.open` of a file that is not there is an event, too.
    assert len(opened) <= 12, opened


@pytest.mark.network
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda path: path.write_text("humanize==4.9.0  # as before\n"), 0),
        (lambda path: path.write_text("humanize==4.9.0\ngit+https://example.org/x\n"), 1),
        (lambda path: path.with_name("pylock.toml").write_text("lock-version = '1.0'\n"), 1),
    ],
    ids=["a comment", "an address", "a lock that is none"],
)
def test_an_edit_is_read(recto: Recto, ready: Path, change: object, code: int) -> None:
    telling = _telling(recto)
    assert _is_short(telling("run", "--", "true"))
    assert callable(change)
    change(ready / "requirements.txt")
    edited = telling("run", "--", "true")
    assert (edited.code, _is_short(edited)) == (code, False)


@pytest.mark.network
def test_a_policy_that_changed_is_asked_again(recto: Recto, ready: Path) -> None:
    refused = recto("run", "--", "true", RECTO_INSTALLING="off")
    assert refused.code == 1
    assert "install" in refused.err
    (Path(recto.variables["HOME"]) / ".config" / "recto").mkdir(parents=True)
    (Path(recto.variables["HOME"]) / ".config" / "recto" / "config.toml").write_text("installing = false\n")
    assert recto("run", "--", "true").code == 1


@pytest.mark.network
def test_an_environment_that_is_gone_is_built_again(recto: Recto, ready: Path, data: Path) -> None:
    telling = _telling(recto)
    assert _is_short(telling("run", "--", "true"))
    key = recto("env", "list", "--json").json["environments"][0]["key"]
    assert recto("env", "rm", key).code == 0
    again = recto("run", "--", "python", "-c", "import humanize; print(humanize.__version__)")
    assert again.out == "4.9.0\n"
    assert "Installing" in again.err
    _finish(recto, data)
    assert recto("run", "--", "true").code == 0
    assert _is_short(telling("run", "--", "true"))


@pytest.mark.network
def test_the_short_way_holds_the_environment(recto: Recto, ready: Path) -> None:
    held = recto.start("run", "--", "sh", "-c", "echo held; exec cat /dev/zero > /dev/null")
    assert held.stdout is not None
    assert held.stderr is not None
    assert held.stdout.readline() == "held\n"
    assert recto("env", "prune", "--budget", "0", "--json").json["removed"] == []
    held.terminate()
    held.wait()
    held.stdout.close()
    held.stderr.close()
    assert len(recto("env", "prune", "--budget", "0", "--json").json["removed"]) == 1


@pytest.mark.network
def test_both_ways_run_the_command_alike(recto: Recto, ready: Path) -> None:
    script = "import json, os, sys; print(json.dumps([dict(os.environ), sys.prefix, os.getcwd(), sys.argv]))"
    command = ("run", "--", "python", "-c", script, "--", "-x", "")
    # An option with `=` is left to the grammar, and so takes the ordinary way.
    ordinary = recto("run", "--project=.", *command[1:])
    short = recto(*command)
    assert short.out == ordinary.out
    assert (short.err, ordinary.err) == ("", "")


@pytest.mark.network
def test_a_remark_is_said_on_both_ways_and_a_missing_command_only_once(recto: Recto, project: Path, data: Path) -> None:
    (project / "requirements.txt").write_text("argparse==1.4.0\n")
    assert recto("run", "--", "true").code == 0
    _finish(recto, data)
    ordinary, short = recto("run", "--project=.", "--", "true"), recto("run", "--", "true")
    assert "argparse" in short.err
    assert short.err == ordinary.err
    missing = recto("run", "--", "recto-never-there")
    assert missing.code == 1
    assert missing.err.count("recto-never-there") == 1
    assert missing.err.count("requirements.txt") == ordinary.err.count("requirements.txt")


@pytest.mark.network
def test_another_working_directory_finds_the_same_environment(recto: Recto, ready: Path, tmp_path: Path) -> None:
    away = replace(_telling(recto), cwd=tmp_path)
    first = away("run", "--project", ready, "--", "sh", "-c", "echo $VIRTUAL_ENV")
    second = away("run", "--project", ready, "--", "sh", "-c", "echo $VIRTUAL_ENV")
    assert (_is_short(first), first.out) == (False, second.out)


@pytest.mark.network
def test_a_corrupt_memo_takes_the_ordinary_way_and_is_mended(recto: Recto, ready: Path, data: Path) -> None:
    telling = _telling(recto)
    (memo,) = (data / "v1" / "cache" / "runs").iterdir()
    memo.write_bytes(os.urandom(2000))
    assert not _is_short(telling("run", "--", "true"))
    assert _is_short(telling("run", "--", "true"))


LINES = (
    ["run", "--", "true"],
    ["run", "true"],
    ["run", "true", "--project", "x"],
    ["run", "python", "-c", "pass", "--", "-"],
    ["run", "--", "--", "true"],
    ["run", "--", "-x"],
    ["run", "--project", "a", "--", "true", "--", "--json"],
    ["run", "--project", "", "--", "true"],
    ["run", "--project", "a b", "--", "true"],
)


@pytest.mark.parametrize("words", LINES, ids=map(str, LINES))
def test_the_short_way_reads_a_line_as_the_grammar_does(words: list[str]) -> None:
    arguments = parser(words).parse_args(words)
    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    short = directory_and_command(words)
    assert short is not None
    assert (Path(short[0]), list(short[1])) == (arguments.project, argv)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["run", "--"],
        ["run", "--", ""],
        ["run", ""],
        ["run", "-h"],
        ["run", "--help"],
        ["run", "--project=a", "--", "true"],
        ["run", "--proj", "a", "--", "true"],
        ["run", "--project", "a", "true"],
        ["run", "--project", "--", "true"],
        ["run", "--project", "--", "--", "true"],
        ["render", "run", "--", "true"],
        ["--version"],
    ],
    ids=str,
)
def test_anything_else_is_left_to_the_grammar(words: list[str]) -> None:
    assert directory_and_command(words) is None


@pytest.mark.network
def test_a_render_of_a_ready_environment_begins_with_its_kernel(recto: Recto, declared: Path, data: Path) -> None:
    document = declared / "paper.qmd"
    document.write_text("```{python}\nimport humanize\nprint(humanize.__version__)\n```\n")
    first = recto("render", document, "--json").json
    assert (first["status"], first["environment"]["state"]) == ("success", "built")
    second = recto("render", document, "--json").json
    assert (second["status"], second["environment"]["state"]) == ("success", "cached")
    assert "kernel_age" in second["timings"]
    modules = data.parent / "modules"
    done = recto_with(recto, _AT_THE_START, modules)("render", document)
    assert done.code == 0, done.err
    # What reads declarations, documents and policies comes later, beside the kernel: a quarter of a second of imports.
    # docs/performance.md has what each costs.
    there = set(modules.read_text().splitlines())
    assert "recto.render.head_start" in there
    late = {"packaging", "yaml", "dataclasses", "hashlib", "recto.declaration", "recto.policy", "recto.store.store"}
    assert not there & (late | {"recto.environments", "recto.render.renders", "recto.engines.jupyter.engine"})
    # An environment that is gone is built again, and the kernel starts in it and nowhere else.
    assert recto("env", "rm", second["environment"]["key"]).code == 0
    third = recto("render", document, "--json").json
    assert (third["status"], third["environment"]["state"]) == ("success", "built")
    assert "kernel_age" not in third["timings"]


@pytest.mark.network
def test_a_declaration_that_changed_gets_its_own_environment(recto: Recto, declared: Path) -> None:
    document = declared / "paper.qmd"
    (declared / "requirements.txt").write_text("# the document says it\n")
    for version, state in (("4.9.0", "built"), ("4.8.0", "built"), ("4.9.0", "cached")):
        front = f"---\npython:\n  dependencies: [humanize=={version}]\n---\n\n"
        document.write_text(front + "```{python}\nimport humanize\nprint('version', humanize.__version__)\n```\n")
        report = recto("render", document, "--json").json
        assert (report["status"], report["environment"]["state"]) == ("success", state)
        # The kernel that began to start was of the environment before.
        assert "kernel_age" not in report["timings"]
        assert f"version {version}" in document.with_suffix(".html").read_text()


def recto_with(recto: Recto, code: str, *arguments: object) -> Recto:
    """The same command, run by this code."""
    return replace(recto, argv=(sys.executable, "-c", code, *map(str, arguments)))
