"""The documentation is true: generated pages are fresh, links lead somewhere, the commands of the README work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import keep_for_run
from recto.builder.workbench import Workbench
from recto.cli.reference import commands_page
from recto.interpreters import Base
from recto.problems.reference import catalogue_page
from recto.settings.reference import reference_page

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if not path.name.startswith("."))
GENERATED = {"commands.md": commands_page, "problems.md": catalogue_page, "settings.md": reference_page}


@pytest.mark.parametrize("name", GENERATED)
def test_a_page_made_from_code_is_fresh(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == GENERATED[name](), "run scripts/docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_dependency_is_defended() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text()
    names = {re.split(r"[<>=\[]", line)[0] for line in project["dependencies"]}
    assert names == set(re.findall(r"^\| (\w[\w-]*) \|", page, re.MULTILINE)) - {"package"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed or staged, with nothing set up in it."""
    checkout = tmp_path_factory.mktemp("readme") / "recto"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, checkout / name, follow_symlinks=False)
    return checkout


@pytest.fixture
def home(fresh: Path, curated_base: Base, workbench: Workbench) -> Path:
    """A home whose caches have the wheels of the base, and what was compiled of them when its tests built it."""
    home = fresh.parent / "home"
    keep_for_run(workbench, home / ".local" / "share" / "recto")
    return home


@pytest.mark.network
@pytest.mark.slow
def test_the_commands_of_the_readme_work_in_their_order(
    fresh: Path, home: Path, uv_cache: Path, network_environment: Mapping[str, str]
) -> None:
    found = blocks(ROOT / "README.md", "sh")
    assert found[:2] == ["scripts/demo\n", "scripts/test\n"]
    variables = {
        **network_environment,
        "PATH": os.environ["PATH"],
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
        "HOME": str(home),
        "UV_CACHE_DIR": str(uv_cache),
    }
    # The second block is what runs this test.
    for block in (found[0], *found[2:]):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=fresh, env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        if block == "scripts/demo\n":
            assert "was built" in done.stderr
            page = Path(done.stdout.splitlines()[-1])
            html = page.read_text(encoding="utf-8")
            assert html.count("<table") >= 1
            assert "data:image/png;base64," in html or "<svg" in html
    again = subprocess.run(["scripts/demo"], cwd=fresh, env=variables, capture_output=True, text=True, check=True)
    assert "was ready" in again.stderr
    assert "Resolving" not in again.stderr


def test_the_readme_says_what_it_is_and_how_to_start_within_fifteen_lines() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:17]
    assert "scripts/demo" in head
    assert "scripts/test" in "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20])


@pytest.mark.network
def test_the_example_of_a_declaration_in_the_readme_is_one() -> None:
    from recto.declaration import declare

    (example,) = blocks(ROOT / "README.md", "yaml")
    declaration = declare({"paper.qmd": example.encode()}.get, "paper.qmd")
    assert [entry.requirement.name for entry in declaration.requirements] == ["polars", "great-tables"]
    assert declaration.as_of is not None


def test_the_library_is_fewer_than_ten_names_and_each_of_them_is_there() -> None:
    import recto

    assert len(recto.__all__) < 10
    for name in recto.__all__:
        assert getattr(recto, name) is not None
    with pytest.raises(AttributeError):
        recto.__getattr__("Store")


@pytest.mark.network
def test_the_example_of_the_library_runs(
    tmp_path: Path, kernel_base: Base, network_environment: Mapping[str, str]
) -> None:
    example, _ = blocks(ROOT / "docs" / "guides" / "library.md", "python")
    project = tmp_path / "examples" / "penguins"
    project.mkdir(parents=True)
    (project / "penguins.qmd").write_text("# Words\n")
    (project / "requirements.txt").write_text("humanize\n")
    variables = {
        **network_environment,
        "HOME": str(tmp_path),
        "RECTO_DATA_DIR": str(tmp_path / "data"),
        "RECTO_BASE": str(kernel_base.python),
    }
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("built ")
    (project / "requirements.txt").write_text("humanize==999\n")
    again = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert again.stdout.startswith("no-matching-version ")


@pytest.mark.network
def test_the_example_of_warm_kernels_runs(tmp_path: Path, kernel_base: Base) -> None:
    _, example = blocks(ROOT / "docs" / "guides" / "library.md", "python")
    project = tmp_path / "examples" / "penguins"
    project.mkdir(parents=True)
    (project / "penguins.qmd").write_text("```{python}\n1\n```\n")
    variables = {
        "HOME": str(tmp_path),
        "RECTO_DATA_DIR": str(tmp_path / "data"),
        "RECTO_BASE": str(kernel_base.python),
        "RECTO_WARM_KERNELS": "1",
    }
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("success cold\nsuccess warm\n", "")
