"""The ways in which Quarto was seen to run cells elsewhere without saying so: each is noticed, or made harmless."""

from __future__ import annotations

from pathlib import Path

import pytest
from quarto_jobs import HELLO, WriteKernel, codes, job, notebook

from recto.engines.base import Rendered
from recto.engines.quarto import QuartoEngine
from recto.progress import silent
from recto.sandbox.none import NoSandbox

pytest_plugins = ("quarto_fixtures",)
pytestmark = pytest.mark.network

TRACE = '```{python}\nopen("ran", "w").close()\n```\n'


def assert_thrown_away(rendered: Rendered, project: Path, prefix: Path, actual: Path | str) -> None:
    """The one problem names both prefixes, and nothing is left but the document."""
    assert (rendered.status, rendered.outputs, codes(rendered)) == ("failure", (), ["environment-not-used"])
    assert f"`{actual}`" in rendered.problems[0].message
    assert f"`{prefix}`" in rendered.problems[0].message
    assert {path.name for path in project.iterdir()} - {"_environment"} == {"paper.qmd"}


def broken_environment(tmp_path: Path, python: str | None) -> Path:
    """A directory that claims to be an environment; its interpreter is this script, or there is none."""
    prefix = tmp_path / "broken"
    (prefix / "bin").mkdir(parents=True)
    if python is not None:
        (prefix / "bin" / "python").write_text(python)
        (prefix / "bin" / "python").chmod(0o755)
    return prefix


def test_an_interpreter_whose_probe_fails_is_replaced_silently_and_noticed(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    prefix = broken_environment(tmp_path, "#!/bin/sh\nexit 1\n")
    path = {"PATH": f"{kernel_prefix}/bin:/usr/bin:/bin"}

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, prefix, TRACE, environment=path), silent)

    assert_thrown_away(rendered, project, prefix, kernel_prefix)
    assert rendered.prefix == kernel_prefix


def test_an_interpreter_that_prints_more_than_its_answer_is_replaced_silently_and_noticed(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    script = f'#!/bin/sh\necho "welcome: [to this server"\nexec {kernel_prefix}/bin/python "$@"\n'
    prefix = broken_environment(tmp_path, script)
    path = {"PATH": f"{kernel_prefix}/bin:/usr/bin:/bin"}

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, prefix, TRACE, environment=path), silent)

    assert_thrown_away(rendered, project, prefix, kernel_prefix)


def test_an_interpreter_that_is_gone_is_replaced_with_a_warning_and_noticed(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    prefix = broken_environment(tmp_path, None)
    path = {"PATH": f"{kernel_prefix}/bin:/usr/bin:/bin"}

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, prefix, TRACE, environment=path), silent)

    assert_thrown_away(rendered, project, prefix, kernel_prefix)
    assert f"Specified QUARTO_PYTHON '{prefix}/bin/python' does not exist" in rendered.problems[0].excerpt


def test_a_wrapper_around_another_interpreter_is_noticed(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    prefix = broken_environment(tmp_path, f'#!/bin/sh\nexec {kernel_prefix}/bin/python "$@"\n')

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, prefix, TRACE), silent)

    assert_thrown_away(rendered, project, prefix, kernel_prefix)


def test_a_kernel_of_the_environment_that_names_another_interpreter_is_noticed(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel
) -> None:
    write_kernel(layered_prefix, "python3", str(kernel_prefix / "bin" / "python"))

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix, TRACE), silent)

    assert_thrown_away(rendered, project, layered_prefix, kernel_prefix)


def test_a_kernel_that_the_document_names_and_that_runs_elsewhere_is_noticed(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel
) -> None:
    write_kernel(layered_prefix, "other", str(kernel_prefix / "bin" / "python"))

    rendered = QuartoEngine(quarto, NoSandbox()).render(
        job(project, layered_prefix, "---\njupyter: other\n---\n" + TRACE), silent
    )

    assert_thrown_away(rendered, project, layered_prefix, kernel_prefix)


def test_a_kernelspec_written_into_the_document_is_noticed_when_it_runs_elsewhere(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel
) -> None:
    write_kernel(layered_prefix, "other", str(kernel_prefix / "bin" / "python"))
    spec = "---\njupyter:\n  kernelspec: {name: other, language: python, display_name: Mine}\n---\n"

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix, spec + TRACE), silent)

    assert_thrown_away(rendered, project, layered_prefix, kernel_prefix)


def test_a_kernel_that_proves_nothing_does_not_pass_although_quarto_succeeds(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel, tmp_path: Path
) -> None:
    elsewhere = {"IPYTHONDIR": str(tmp_path / "ipython")}
    write_kernel(layered_prefix, "python3", str(kernel_prefix / "bin" / "python"), env=elsewhere)

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix), silent)

    assert_thrown_away(rendered, project, layered_prefix, "unknown")
    assert "Output created: paper.html" in rendered.log


def test_a_wrong_page_is_thrown_away_also_where_it_replaced_an_older_one(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel, tmp_path: Path
) -> None:
    elsewhere = {"IPYTHONDIR": str(tmp_path / "ipython")}
    write_kernel(layered_prefix, "python3", str(kernel_prefix / "bin" / "python"), env=elsewhere)
    (project / "paper.html").write_text("an older page")

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix), silent)

    assert_thrown_away(rendered, project, layered_prefix, "unknown")


def test_an_environment_without_a_kernel_does_not_take_one_from_the_users_data(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel, tmp_path: Path
) -> None:
    for file in (layered_prefix / "share").rglob("kernel.json"):
        file.unlink()
    write_kernel(tmp_path / "data", "python3", str(kernel_prefix / "bin" / "python"))
    jupyter = str(tmp_path / "data" / "share" / "jupyter")
    lured = {"JUPYTER_PATH": jupyter, "JUPYTER_DATA_DIR": jupyter, "JUPYTER_PREFER_ENV_PATH": "0"}

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix, environment=lured), silent)

    assert (rendered.status, rendered.prefix) == ("success", layered_prefix)


def test_a_project_cannot_name_the_interpreter(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path
) -> None:
    (project / "_environment").write_text(f"QUARTO_PYTHON={kernel_prefix}/bin/python\n")

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix), silent)

    assert (rendered.status, rendered.prefix) == ("success", layered_prefix)


def test_an_environment_reached_through_a_symbolic_link_is_the_same_environment(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(kernel_prefix)
    through = QuartoEngine(quarto, NoSandbox()).render(job(project, tmp_path / "link"), silent)

    assert (through.status, through.prefix) == ("success", tmp_path / "link")


def test_a_kernel_that_a_cell_starts_may_run_elsewhere(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path
) -> None:
    text = (
        "```{python}\n"
        "from jupyter_client import KernelManager\n"
        "manager = KernelManager(kernel_name='python3')\n"
        f"manager.kernel_spec.argv[0] = '{kernel_prefix}/bin/python'\n"
        "manager.start_kernel()\n"
        "client = manager.blocking_client()\n"
        "client.start_channels()\n"
        "client.wait_for_ready(timeout=60)\n"
        "reply = client.execute_interactive('import sys; print(sys.prefix)')\n"
        "client.stop_channels()\n"
        "manager.shutdown_kernel(now=True)\n"
        "```\n"
    )

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix, text), silent)

    assert (rendered.status, rendered.prefix) == ("success", layered_prefix)
    assert str(kernel_prefix) in (project / "paper.html").read_text()


def test_no_cell_runs_in_a_wrong_interpreter(
    quarto: Path, project: Path, layered_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel, tmp_path: Path
) -> None:
    write_kernel(layered_prefix, "python3", str(kernel_prefix / "bin" / "python"))
    trace = tmp_path / "ran"
    text = HELLO + f'\n```{{python}}\nopen("{trace}", "w").close()\n```\n'

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix, text), silent)

    assert codes(rendered) == ["environment-not-used"]
    assert not trace.exists()


def test_the_kernel_stored_in_a_notebook_must_exist(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    asked = job(project, kernel_prefix, notebook("1", kernel="myproj"), "book.ipynb")

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, silent)

    assert (rendered.status, rendered.outputs) == ("failure", ())
    assert "No such kernel named myproj" in rendered.log
