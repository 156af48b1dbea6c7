"""Cells run in a real kernel: what they show, and what is told where they fail."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from recto.engines.base import Job, Rendered
from recto.engines.jupyter import JupyterEngine
from recto.interpreters import Base
from recto.progress import Event

pytest_plugins = ("jupyter_fixtures",)

pytestmark = pytest.mark.network

Render = Callable[..., Rendered]

OPTIONS = """---
title: Options
execute:
  warning: false
---

```{python}
import sys
secret = "se" + "cret"
print("out" + "-plain")
print("err" + "-hidden", file=sys.stderr)
```

```{python}
#| echo: false
print("out" + "-unechoed")
```

```{python}
#| eval: false
print("never" + "-run")
```

```{python}
#| include: false
print("not" + "-included")
```

```{python}
#| output: false
print("no" + "-output")
```

```{python}
#| output: asis
print("**as" + "is**")
```

```{python}
#| warning: true
print("err" + "-shown", file=sys.stderr)
```

```{python}
#| error: true
1 / 0
```

```{python}
#| echo: fenced
#| label: fenced-one
x = 41
```

```{python}
#| code-fold: true
#| code-summary: Look <here>
x += 1
```

Answer `{python} x`, word `{python} secret`, marks `{python} "a*b*"`, `` `{python} kept` ``.

```{python}
print("\\x1b[31mred\\x1b[0m", "10%\\r20%")
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Callable[[], str]:
    return lambda: (tmp_path / "paper.html").read_text()


def only(rendered: Rendered) -> tuple[str, str]:
    """Code and place of the only problem of a failed render."""
    (problem,) = rendered.problems
    assert rendered.outputs == ()
    return problem.code, str(problem.source)


def test_each_option_does_what_it_says(run: Render, page: Callable[[], str], events: list[Event]) -> None:
    assert run(OPTIONS).status == "success"
    html = page()
    shown = ("out-plain", "out-unechoed", "<strong>asis</strong>", "err-shown", "ZeroDivisionError", "Look &lt;here>")
    hidden = ("err-hidden", "never-run", "not-included", "no-output", "Traceback (most recent call last)</div>")
    assert [text for text in shown if text not in html] == []
    assert [text for text in hidden if text in html] == []
    assert 'se" + "cret' not in html.replace("&quot;", '"').split("unechoed")[1]
    assert "Answer 42, word secret, marks a*b*, <code>`{python} kept`</code>" in html.replace("\n", " ")
    assert "#| label: fenced-one" in html
    assert "echo: fenced" not in html
    assert "\x1b" not in html
    assert '<div class="cell-output cell-stdout"><pre><code>20%</code></pre></div>' in html.replace("\n", "")
    executing = [event for event in events if event.event == "executing"]
    assert [event.done for event in executing] == list(range(len(executing)))
    assert executing[-1].done == executing[-1].total == 10


def test_the_kernel_is_the_environments_own_and_is_left_no_way_to_another(
    run: Render, tmp_path: Path, kernel_base: Base, page: Callable[[], str]
) -> None:
    spec = tmp_path / "hijack" / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": [sys.executable], "language": "python", "display_name": "x"}))
    text = "```{python}\nimport os, sys\nprint(sys.prefix, os.getcwd(), os.environ.get('JUPYTER_PATH'))\n```\n"
    rendered = run(text, environment={"PATH": "/usr/bin:/bin", "JUPYTER_PATH": str(tmp_path / "hijack")})
    assert rendered.prefix == kernel_base.prefix
    assert f"{kernel_base.prefix} {tmp_path} None" in page()


@pytest.mark.makes("environment-not-used")
def test_cells_that_ran_elsewhere_are_thrown_away(
    engine: JupyterEngine, tmp_path: Path, kernel_base: Base, events: list[Event]
) -> None:
    document = tmp_path / "paper.qmd"
    document.write_text("```{python}\nopen('ran', 'w')\n```\n")
    job = Job(document, tmp_path, kernel_base.python, tmp_path, environment={"PATH": "/usr/bin:/bin"})
    assert only(engine.render(job, events.append))[0] == "environment-not-used"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper.qmd"]


@pytest.mark.makes("missing-module", "cell-error", "cell-missing-file", "kernel-died")
@pytest.mark.parametrize(
    ("cell", "code", "line"),
    [
        ("#| label: a\nx = 1\ndef f():\n    return 1 / 0\nf()", "cell-error", 8),
        ("x = 1\nimport json\njson.loads('{')", "cell-error", 7),
        ("x = 1\ny = = 2", "cell-error", 6),
        ("raise SystemExit(3)", "cell-error", 5),
        ("x = 1\nopen('data/none.csv')", "cell-missing-file", 6),
        ("import sys\nimport polars as pl", "missing-module", 6),
        ("import os\nos._exit(7)", "kernel-died", 5),
    ],
)
def test_a_failing_cell_is_placed_on_its_line(run: Render, cell: str, code: str, line: int) -> None:
    rendered = run(f"---\ntitle: A\n---\n```{{python}}\n{cell}\n```\n\n```{{python}}\n1\n```\n")
    assert (rendered.status, only(rendered)) == ("failure", (code, f"paper.qmd:{line}"))
    assert "\x1b" not in rendered.problems[0].excerpt


@pytest.mark.makes("shared-library-missing", "abi-mismatch")
@pytest.mark.parametrize(("beside", "code"), [("-lbeside", "shared-library-missing"), ("", "abi-mismatch")])
def test_an_extension_that_cannot_be_loaded_is_placed_on_the_line_that_imports_it(
    run: Render, tmp_path: Path, beside: str, code: str
) -> None:
    compiled = ("gcc", "-shared", "-fPIC", "-nostdlib", "-L.")
    (tmp_path / "beside.c").write_text("int beside(void) { return 1; }\n")
    (tmp_path / "needy.c").write_text("int beside(void);\nint PyInit_needy(void) { return beside(); }\n")
    subprocess.run([*compiled, "beside.c", "-o", "libbeside.so"], cwd=tmp_path, check=True)
    subprocess.run([*compiled, "needy.c", *beside.split(), "-o", "needy.so"], cwd=tmp_path, check=True)
    (tmp_path / "libbeside.so").unlink()
    rendered = run("```{python}\nx = 1\nimport needy\n```\n")
    assert (rendered.status, only(rendered)) == ("failure", (code, "paper.qmd:3"))


def test_a_failing_cell_is_told_by_number_and_error(run: Render) -> None:
    (problem,) = run("```{python}\nx = 1\n```\n\n```{python}\n{}['no']\n```\n").problems
    assert problem.message == "Cell 2 of `paper.qmd` failed: KeyError: 'no'."
    assert "----> 1" in problem.excerpt


def test_a_missing_module_is_named_in_full_with_the_package_that_is_known(run: Render) -> None:
    (problem,) = run("```{python}\nimport sklearn.linear_model\n```\n").problems
    assert (problem.code, problem.package, problem.fix) == ("missing-module", "sklearn", None)
    assert "`scikit-learn`" in problem.hint


def test_a_part_of_a_namespace_that_is_there_is_a_missing_module(run: Render, tmp_path: Path) -> None:
    (tmp_path / "google" / "cloud").mkdir(parents=True)
    (problem,) = run("```{python}\nx = 1\nfrom google.cloud import storage\n```\n").problems
    assert (problem.code, problem.package, str(problem.source)) == (
        "missing-module",
        "google.cloud.storage",
        "paper.qmd:3",
    )
    assert "`google-cloud-storage`" in problem.hint


def test_a_name_that_a_module_lacks_is_no_missing_module(run: Render) -> None:
    (problem,) = run("```{python}\nfrom json import nothing\n```\n").problems
    assert problem.code == "cell-error"


@pytest.mark.makes("inline-error")
def test_a_failing_inline_value_is_named_with_its_line(run: Render) -> None:
    rendered = run("One\nand\n`{python} nothing + 1` two\n")
    assert only(rendered) == ("inline-error", "paper.qmd:3")
    assert "`nothing + 1`" in rendered.problems[0].message
    assert "NameError" in rendered.problems[0].message


@pytest.mark.makes("cell-timeout")
def test_a_cell_past_its_own_limit_is_stopped(run: Render) -> None:
    rendered = run("---\nexecute:\n  timeout: 1\n---\n```{python}\nwhile True: pass\n```\n")
    assert only(rendered) == ("cell-timeout", "paper.qmd:6")


@pytest.mark.makes("render-timeout")
def test_a_render_past_its_limit_is_timed_out(run: Render) -> None:
    cells = ("1", "#| eval: false\n3", "while True: pass")
    text = "`{python} 2`\n\n".join(f"```{{python}}\n{cell}\n```\n\n" for cell in cells)
    rendered = run(text, seconds_max=8.0)
    assert (rendered.status, only(rendered)) == ("timedout", ("render-timeout", "paper.qmd:15"))


@pytest.mark.makes("render-stopped")
def test_a_cancelled_render_is_terminated_and_leaves_nothing(
    engine: JupyterEngine, tmp_path: Path, kernel_base: Base
) -> None:
    document = tmp_path / "paper.qmd"
    document.write_text("```{python}\nwhile True: pass\n```\n")
    job = Job(document, tmp_path, kernel_base.python, kernel_base.prefix, environment={"PATH": "/usr/bin:/bin"})
    running = threading.Event()
    rendered = engine.render(job, lambda event: running.set(), running.is_set)
    assert (rendered.status, only(rendered)[0]) == ("terminated", "render-stopped")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper.qmd"]


@pytest.mark.makes("kernel-missing")
def test_a_kernel_that_is_not_ours_is_refused_before_anything_runs(run: Render) -> None:
    assert only(run("---\njupyter: stats\n---\n```{python}\n1\n```\n")) == ("kernel-missing", "paper.qmd")


def test_an_interpreter_without_jupyter_is_told(engine: JupyterEngine, tmp_path: Path) -> None:
    document = tmp_path / "paper.qmd"
    document.write_text("```{python}\n1\n```\n")
    job = Job(document, tmp_path, Path(sys.executable), Path(sys.prefix), environment={"PATH": "/usr/bin:/bin"})
    (problem,) = engine.render(job, lambda event: None).problems
    assert problem.code == "base-lacks-kernel"
    assert "nbclient" in problem.message


def test_a_notebook_runs_again_and_its_stored_outputs_are_gone(run: Render, page: Callable[[], str]) -> None:
    stored = {"output_type": "stream", "name": "stdout", "text": "stale"}
    cells: list[dict[str, object]] = [
        {"cell_type": "raw", "metadata": {}, "source": "---\ntitle: Stored\n---"},
        {"cell_type": "markdown", "metadata": {}, "source": "# Head"},
        {"cell_type": "code", "metadata": {}, "source": "print('fr' + 'esh')", "outputs": [stored]},
    ]
    metadata = {"kernelspec": {"name": "conda-env-x", "language": "python"}}
    value = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    assert run(json.dumps(value), name="paper.ipynb").status == "success"
    assert "fresh" in page()
    assert "stale" not in page()
    assert "<title>Stored</title>" in page()


def test_cells_write_beside_the_document_and_never_reach_our_output(
    run: Render, tmp_path: Path, events: list[Event]
) -> None:
    code = "import os\nopen('made.csv', 'w').write('1')\nos.write(1, b'{\"done\": 99, \"total\": 99}\\n')"
    assert run(f"```{{python}}\n{code}\n```\n").status == "success"
    assert (tmp_path / "made.csv").read_text() == "1"
    assert 99 not in [event.done for event in events]


def test_a_document_that_a_cell_removes_is_rendered(run: Render, tmp_path: Path, page: Callable[[], str]) -> None:
    text = "---\ndate: last-modified\n---\n```{python}\nimport os; os.remove('paper.qmd'); print('gone')\n```\n"
    assert run(text).status == "success"
    assert "<code>gone</code>" in page()
    assert not (tmp_path / "paper.qmd").exists()


def test_a_result_that_a_cell_replaced_is_neither_written_to_nor_read(run: Render, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    code = (
        "import os, pathlib\n"
        "result = pathlib.Path(os.environ['HOME']).parent / 'result.json'\n"
        "result.unlink()\n"
        f"result.symlink_to({str(other)!r})\n"
    )
    assert only(run(f"```{{python}}\n{code}```\n")) == ("render-failed", "None")
    assert other.read_text() == "{}"
    assert not (tmp_path / "paper.html").exists()
