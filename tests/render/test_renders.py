"""A render from document to report, with a fake engine at the port."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes import FakeBuilder, FakeEngine, FakeResolver, base
from recto.environments import Environments, Options
from recto.environments.providers import Providers
from recto.policy import Grant, Policy
from recto.problems import DeclarationError, problem
from recto.progress import Event
from recto.render import Project, RenderRequest, Renders, Report
from recto.render.options import Options as RenderOptions
from recto.store import Store
from recto.store.layout import Layout

Rendering = Callable[..., Report]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def render(tmp_path: Path, engine: FakeEngine) -> Rendering:
    data = tmp_path / "data"
    resolver = FakeResolver({"polars": "2.1.0"})
    environments = Environments(
        Store.open(data),
        resolver,
        FakeBuilder(),
        lambda: base(data / "base"),
        Options(Policy(installing=True)),
    )
    renders = Renders(environments, (engine,), RenderOptions(), lambda: Providers(Layout.of(data), base(data / "base")))

    def act(document: Path, grant: Grant | None = None, **options: object) -> Report:
        own = Grant.own() if grant is None else grant
        return renders.render(RenderRequest(document, grant=own, **options))  # type: ignore[arg-type]

    return act


@pytest.fixture
def document(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text("polars\n")
    path = project / "paper.qmd"
    path.write_text("# Paper\n")
    return path


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


def test_a_document_is_rendered_with_its_projects_environment(
    render: Rendering, document: Path, engine: FakeEngine
) -> None:
    report = render(document)
    assert report.status == "success"
    assert report.environment is not None
    assert report.environment.origin == "built"
    assert [output.path for output in report.outputs] == [document.with_suffix(".html")]
    assert report.outputs[0].bytes == document.stat().st_size
    assert engine.jobs[0].prefix == report.environment.prefix
    assert {"environment", "execute", "total"} <= report.timings_ms.keys()


def test_the_engine_is_given_the_lease_and_it_ends_with_the_render(
    render: Rendering, document: Path, engine: FakeEngine
) -> None:
    render(document)
    (descriptor,) = engine.jobs[0].keep_open
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_front_matter_adds_to_the_project(render: Rendering, document: Path) -> None:
    document.write_text("---\npython:\n  dependencies: [nowhere-to-be-found]\n---\n")
    report = render(document)
    assert report.status == "failure"
    assert codes(report) == ["no-matching-distribution"]
    assert report.problems[0].source is not None
    assert report.problems[0].source.file == "paper.qmd"


@pytest.mark.makes("install-not-granted")
def test_a_stranger_gets_the_base_and_one_sentence(render: Rendering, document: Path, engine: FakeEngine) -> None:
    report = render(document, Grant("visitor"))
    assert report.status == "success"
    assert report.environment is not None
    assert report.environment.origin == "base"
    assert [(p.code, p.level) for p in report.problems] == [("install-not-granted", "warning")]
    assert engine.jobs[0].keep_open == ()


def test_a_missing_document_is_a_report(render: Rendering, document: Path) -> None:
    assert codes(render(document.with_name("papre.qmd"))) == ["document-missing"]


@pytest.mark.parametrize("name", ["data.csv", "paper"])
def test_a_file_that_is_no_document_is_a_report(render: Rendering, document: Path, name: str) -> None:
    path = document.with_name(name)
    path.write_text("x")
    assert codes(render(path)) == ["document-unknown-type"]


def test_a_directory_is_no_document(render: Rendering, document: Path) -> None:
    assert codes(render(document.parent)) == ["document-unknown-type"]


def test_an_engine_that_is_not_there_is_named(render: Rendering, document: Path, engine: FakeEngine) -> None:
    engine.missing = problem("engine-missing", engine="fake", reason="it is not installed")
    assert codes(render(document)) == ["engine-missing"]


def test_a_bad_declaration_renders_nothing(render: Rendering, document: Path, engine: FakeEngine) -> None:
    document.with_name("requirements.txt").write_text("--index-url https://elsewhere.example/simple\n")
    report = render(document)
    assert codes(report) == ["declaration-option"]
    assert engine.jobs == []


def test_a_project_begins_at_the_nearest_declaration(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    chapter = tmp_path / "chapters" / "one"
    chapter.mkdir(parents=True)
    assert Project.around(chapter / "paper.qmd").root == tmp_path
    (chapter / "_quarto.yml").touch()
    assert Project.around(chapter / "paper.qmd").root == chapter


def test_a_project_never_reaches_into_a_directory_that_everybody_may_write_to(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "requirements.txt").touch()
    own = shared / "own"
    own.mkdir()
    assert Project.around(own / "paper.qmd").root == shared
    shared.chmod(0o1777)
    assert Project.around(own / "paper.qmd").root == own


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_project_never_reaches_into_somebody_elses_directory(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, 65534, 65534)
    assert Project.around(own / "paper.qmd").root == own


def test_a_project_never_reaches_over_the_root_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    assert Project.around(repository / "paper.qmd").root == repository


def test_a_file_outside_the_project_is_not_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("polars")
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").symlink_to(tmp_path / "secret")
    (root / "inside.txt").symlink_to(root / "real.txt")
    (root / "real.txt").write_bytes(b"duckdb")
    project = Project(root)
    with pytest.raises(DeclarationError) as refused:
        project.read("requirements.txt")
    assert refused.value.problems[0].code == "declaration-include"
    assert project.read("../no-such-file") is None
    assert project.read("inside.txt") == b"duckdb"


def test_a_pipe_in_the_project_is_no_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    assert Project(tmp_path).read("requirements.txt") is None


def test_progress_of_the_engine_reaches_whoever_asked(tmp_path: Path, engine: FakeEngine, document: Path) -> None:
    environments = Environments(
        Store.open(tmp_path / "data"),
        FakeResolver({"polars": "2.1.0"}),
        FakeBuilder(),
        lambda: base(tmp_path / "base"),
        Options(Policy(installing=True)),
    )
    events: list[Event] = []
    providers = Providers(Layout.of(tmp_path / "data"), base(tmp_path / "base"))
    renders = Renders(environments, (engine,), RenderOptions(), lambda: providers)
    renders.render(RenderRequest(document, grant=Grant.own()), events.append)
    assert [event.event for event in events] == ["resolving", "ready", "rendering", "executing"]
