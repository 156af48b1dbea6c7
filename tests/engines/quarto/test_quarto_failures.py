"""Failing, endless and cancelled renders: what is said, and what is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from quarto_jobs import codes, job

from limited import Limited
from recto.engines.quarto import QuartoEngine
from recto.problems import Source
from recto.progress import Event, silent
from recto.sandbox.base import Limits
from recto.sandbox.containment import Containment
from recto.sandbox.none import NoSandbox

pytest_plugins = ("quarto_fixtures",)
pytestmark = pytest.mark.network

FAILING = """---
title: Failing
---

```{python}
fine = 1
```

Some text.

```{python}
#| label: broken
#| echo: false
denominator = 0
fine / denominator
```
"""

ENDLESS = """```{python}
import os, subprocess
helper = subprocess.Popen(["sleep", "600"], start_new_session=True)
```

```{python}
helper.wait()
```
"""


def left_over(word: str) -> list[list[str]]:
    """The command lines of processes whose environment holds this word."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(word in value for value in process.environ().values()):
                found.append(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def names(directory: Path) -> set[str]:
    """What lies in a directory."""
    return {path.name for path in directory.iterdir()}


def after_first_cell(events: list[Event]) -> Callable[[], bool]:
    """Cancels as soon as a cell has ended."""
    return lambda: any(event.event == "executing" for event in events)


def test_a_failing_cell_is_named_with_its_document_number_and_line(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, FAILING, "part/two.qmd"), silent)

    (problem,) = rendered.problems
    assert (rendered.status, rendered.outputs, rendered.prefix) == ("failure", (), kernel_prefix)
    assert problem.message == "Cell 2 of `part/two.qmd` failed: ZeroDivisionError: division by zero."
    assert problem.source == Source("part/two.qmd", 15)
    assert "\x1b" not in rendered.log
    assert names(project / "part") == {"two.qmd"}


def test_a_missing_module_points_at_the_line_that_imports_it(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    text = "Words.\n\n```{python}\nimport not_installed_pkg\n```\n"

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert rendered.status == "failure"
    assert rendered.problems[0].source == Source("paper.qmd", 4)
    assert "not_installed_pkg" in rendered.problems[0].message


@pytest.mark.parametrize(
    ("line", "package"),
    [("import xml.nothing.deep", "xml.nothing"), ("from google.cloud import storage", "google.cloud.storage")],
)
def test_a_missing_module_is_named_in_full(
    quarto: Path, project: Path, kernel_prefix: Path, line: str, package: str
) -> None:
    (project / "google" / "cloud").mkdir(parents=True)
    text = f"Words.\n\n```{{python}}\n{line}\n```\n"

    (problem,) = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent).problems

    assert (problem.code, problem.package, problem.source) == ("missing-module", package, Source("paper.qmd", 4))


def test_a_syntax_error_points_at_its_line(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    text = "```{python}\nfine = 1\nif fine print(fine)\n```\n"

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert rendered.problems[0].source == Source("paper.qmd", 3)


def test_of_two_cells_with_the_same_text_the_one_that_ran_last_is_named(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    cell = "```{python}\nvalues = [*globals().get('values', [0])[1:]]; values[0]\n```\n"
    text = "```{python}\nvalues = [1, 2, 3]\n```\n" + 3 * cell

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert rendered.problems[0].source == Source("paper.qmd", 11)
    assert rendered.problems[0].message.startswith("Cell 4 of `paper.qmd` failed: IndexError")


def test_a_failing_cell_of_an_included_file_is_found_there(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    (project / "_part.qmd").write_text("Words.\n\n```{python}\n1 / 0\n```\n")
    fake = quarto.with_name("including")
    fake.write_text(
        "#!/bin/sh\n"
        "printf 'An error occurred while executing the following cell:\\n' >&2\n"
        "printf '%s\\n' ------------------ '1 / 0' ------------------ 'Cell In[1], line 1' >&2\n"
        "printf 'ZeroDivisionError: division by zero\\n' >&2\n"
        "exit 1\n"
    )
    fake.chmod(0o755)
    asked = job(project, kernel_prefix, "{{< include _part.qmd >}}\n")

    rendered = QuartoEngine(fake, NoSandbox()).render(asked, silent)

    assert rendered.problems[0].source == Source("_part.qmd", 4)


def test_an_error_that_the_document_allows_is_no_failure(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    text = "```{python}\n#| error: true\n1 / 0\n```\n"

    assert QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent).status == "success"


def test_a_kernel_that_does_not_exist_fails_with_quartos_words(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    text = "---\njupyter: conda-env-stats\n---\n\n```{python}\n1\n```\n"

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert rendered.status == "failure"
    assert "conda-env-stats" in rendered.problems[0].message


def test_an_environment_without_the_render_stack_fails_without_blaming_another(
    quarto: Path, project: Path, bare_prefix: Path
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, bare_prefix, FAILING), silent)

    assert (rendered.status, rendered.prefix) == ("failure", None)
    assert codes(rendered) == ["jupyter-missing"]


@pytest.mark.makes("quarto-input-missing")
def test_a_document_that_goes_as_quarto_starts_is_told(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    quarto.write_text(quarto.read_text().replace("#!/bin/bash\n", f"#!/bin/bash\nrm -f '{project}/paper.qmd'\n"))

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix), silent)

    assert (rendered.status, codes(rendered)) == ("failure", ["quarto-input-missing"])
    assert rendered.outputs == ()


def test_a_cell_that_ends_its_kernel_is_a_failure(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    text = "```{python}\nimport os\nos._exit(1)\n```\n"

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert (rendered.status, codes(rendered), rendered.outputs) == ("failure", ["kernel-died"], ())
    assert rendered.problems[0].source == Source("paper.qmd", 2)


def test_the_transient_notebook_of_a_killed_quarto_is_removed_and_its_runner_ended(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    text = (
        "```{python}\n"
        "import os, time\n"
        "runner = os.getppid()\n"
        "quarto = int(open(f'/proc/{runner}/stat').read().rpartition(') ')[2].split()[1])\n"
        "assert os.path.exists('paper.quarto_ipynb')\n"
        "os.kill(quarto, 9)\n"
        "time.sleep(600)\n"
        "```\n"
    )
    asked = job(project, kernel_prefix, text, environment={"RECTO_TEST": str(project)})

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, silent)

    assert rendered.status == "failure"
    assert names(project) == {"paper.qmd"}
    assert left_over(str(project)) == []


@pytest.mark.slow
def test_a_time_out_ends_every_process_and_leaves_only_the_document(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    events: list[Event] = []
    given = {"RECTO_TEST": str(project)}
    asked = job(project, kernel_prefix, ENDLESS, environment=given, seconds_max=15.0)

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, events.append)

    assert (rendered.status, codes(rendered), rendered.outputs) == ("timedout", ["render-timeout"], ())
    assert rendered.problems[0].source == Source("paper.qmd", 7)
    assert events[-1] == Event("executing", "", 1, 2, "cells")
    assert names(project) == {"paper.qmd"}
    assert left_over(str(project)) == []


def test_cancelling_ends_every_process_and_leaves_only_the_document(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    events: list[Event] = []
    asked = job(project, kernel_prefix, ENDLESS, environment={"RECTO_TEST": str(project)})

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, events.append, after_first_cell(events))

    assert (rendered.status, rendered.problems, rendered.outputs) == ("terminated", (), ())
    assert names(project) == {"paper.qmd"}
    assert left_over(str(project)) == []


def test_an_output_from_before_survives_a_failing_render(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    (project / "paper.html").write_text("from before")

    QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, FAILING), silent)

    assert (project / "paper.html").read_text() == "from before"


def test_an_output_that_a_cell_turned_into_a_link_is_not_delivered(
    project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    fake = tmp_path / "fake" / "bin" / "quarto"
    fake.parent.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    fake.write_text("#!/bin/sh\nln -s ../secret paper.html\necho 'Output created: paper.html' >&2\n")
    fake.chmod(0o755)

    rendered = QuartoEngine(fake, NoSandbox()).render(job(project, kernel_prefix, "Words.\n"), silent)

    assert (rendered.status, codes(rendered), rendered.outputs) == ("failure", ["output-unreadable"], ())
    assert names(project) == {"paper.qmd"}


def test_a_kernel_killed_for_the_memory_of_its_own_group_is_told_from_one_that_ends(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    sandbox = Limited(Limits(memory_bytes=400_000_000))
    text = "```{python}\nx = bytearray(900_000_000)\n```\n"

    rendered = QuartoEngine(quarto, sandbox).render(job(project, kernel_prefix, text), silent)

    if sandbox.outcomes[-1].tiers["memory"] == "process":
        pytest.skip("this process may not make a control group for memory")
    assert (rendered.status, codes(rendered)) == ("failure", ["out-of-memory"])
    assert rendered.problems[0].source == Source("paper.qmd", 2)


def test_a_cell_that_starts_too_many_threads_is_told_so(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    sandbox = Limited(Limits(processes=100))
    text = (
        "```{python}\nimport threading\nstop = threading.Event()\n"
        "for _ in range(1000): threading.Thread(target=stop.wait, daemon=True).start()\n```\n"
    )

    rendered = QuartoEngine(quarto, sandbox).render(job(project, kernel_prefix, text), silent)

    if sandbox.outcomes[-1].tiers["processes"] in ("process", "none"):
        pytest.skip("this process may not make a control group for processes")
    assert (rendered.status, codes(rendered)) == ("failure", ["process-limit"])


def test_a_cell_that_fills_the_disk_is_named(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    text = (
        "```{python}\n1\n```\n\n"
        "```{python}\nimport signal\nfor n in range(200): open(f'{n}', 'wb').write(bytes(100_000))\n"
        "signal.pause()\n```\n"
    )

    rendered = QuartoEngine(quarto, Limited(Limits(disk_bytes=10_000_000))).render(
        job(project, kernel_prefix, text), silent
    )

    assert (rendered.status, codes(rendered)) == ("failure", ["disk-limit"])
    assert rendered.problems[0].source == Source("paper.qmd", 6)


def test_each_run_of_quarto_counts_in_what_is_said_of_containment(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    sandbox = Limited(Limits(memory_bytes=4_000_000_000, disk_bytes=1_000_000_000))
    wanted = job(project, kernel_prefix, "Words.\n", formats=("html", "docx"))

    rendered = QuartoEngine(quarto, sandbox).render(wanted, silent)

    assert rendered.status == "success", rendered.log
    assert len(sandbox.outcomes) == 2
    memory = sandbox.outcomes[0].tiers["memory"]
    assert rendered.containment == Containment("limited", {"memory": memory, "disk": "watched"})


def test_what_ended_a_run_is_told_with_what_contained_it(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    wanted = job(project, kernel_prefix, "```{python}\nwhile True: pass\n```\n", seconds_max=3)

    rendered = QuartoEngine(quarto, NoSandbox()).render(wanted, silent)

    assert (rendered.status, rendered.containment) == ("timedout", Containment("none"))
