"""The fixes of a project's problems, carried out on real files."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from recto.declaration import declare
from recto.problems import DeclarationError, Edit, EngineError, Fix, Problem, problem
from recto.render import Project
from recto.render.mending import carry_out, planned

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "requirements"
FILES = sorted(CORPUS.glob("*.txt"))


def broken(*fixes: Fix) -> list[Problem]:
    return [problem("declaration-variable", variable="${X}", fix=fix) for fix in fixes]


def fix(file: str, line: int, old: str | None, new: str | None) -> Fix:
    return Fix(f"{file}:{line}", (Edit(file, line, old, new),))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "requirements.txt").write_text("a\nb\n")
    return Project(tmp_path)


def text(project: Project, name: str = "requirements.txt") -> str:
    return (project.root / name).read_text()


def test_a_plan_writes_nothing_until_it_is_carried_out(project: Project) -> None:
    mending = planned(project, broken(fix("requirements.txt", 1, "a", "c")))
    assert text(project) == "a\nb\n"
    (change,) = mending.changes
    assert change.diff == "--- requirements.txt\n+++ requirements.txt\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n"
    carry_out(project, mending)
    assert text(project) == "c\nb\n"
    assert [path.name for path in project.root.iterdir()] == ["requirements.txt"]


def test_a_file_keeps_its_mode_and_a_link_stays_one(project: Project) -> None:
    real = project.root / "requirements.txt"
    real.chmod(0o640)
    (project.root / "more.txt").symlink_to("requirements.txt")
    carry_out(project, planned(project, broken(fix("more.txt", 2, "b", None))))
    assert (project.root / "more.txt").is_symlink()
    assert (text(project), stat.S_IMODE(real.stat().st_mode)) == ("a\n", 0o640)


def test_a_file_that_is_not_there_is_made(project: Project) -> None:
    carry_out(project, planned(project, broken(fix("new.txt", 1, None, "polars"))))
    assert text(project, "new.txt") == "polars\n"


@pytest.mark.parametrize("file", ["../outside.txt", "/etc/hostname", "link.txt", "a/../requirements.txt"])
def test_nothing_outside_of_the_project_is_touched(file: str, project: Project) -> None:
    (project.root / "link.txt").symlink_to("/etc/hostname")
    assert planned(project, broken(fix(file, 1, None, "x"))).changes == ()


def test_a_fix_is_made_whole_or_not_at_all(project: Project) -> None:
    half = Fix("half", (Edit("requirements.txt", 1, "a", "c"), Edit("requirements.txt", 2, "other", "d")))
    mending = planned(project, broken(half, fix("requirements.txt", 2, "b", "e")))
    assert [chosen.title for chosen in mending.fixes] == ["requirements.txt:2"]
    carry_out(project, mending)
    assert text(project) == "a\ne\n"


@pytest.mark.makes("mending-stale")
def test_a_file_that_changed_meanwhile_is_left_as_it_is(project: Project) -> None:
    mending = planned(project, broken(fix("requirements.txt", 1, "a", "c")))
    (project.root / "requirements.txt").write_text("a\nb\nnew\n")
    with pytest.raises(EngineError) as caught:
        carry_out(project, mending)
    assert [found.code for found in caught.value.problems] == ["mending-stale"]
    assert text(project) == "a\nb\nnew\n"


def test_where_a_directory_lies_nothing_is_written(project: Project) -> None:
    (project.root / "new.txt").mkdir()
    with pytest.raises(EngineError) as caught:
        carry_out(project, planned(project, broken(fix("new.txt", 1, None, "x"))))
    assert [found.code for found in caught.value.problems] == ["permission-denied"]
    assert sorted(path.name for path in project.root.iterdir()) == ["new.txt", "requirements.txt"]


def problems_of(project: Project) -> tuple[Problem, ...]:
    try:
        return declare(project.read).remarks
    except DeclarationError as error:
        return error.problems


@pytest.mark.skipif(not FILES, reason="the collection of real requirements files is not beside the repository")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_real_files_get_better_with_each_round_until_no_edit_is_left(file: Path, tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "requirements.txt").write_bytes(file.read_bytes())
    for _ in range(10):
        found = problems_of(project)
        mending = planned(project, found)
        if not mending.changes:
            break
        carry_out(project, mending)
        left = problems_of(project)
        # What an edit was made for is gone, and nothing that was right is wrong now.
        assert len(left) < len(found)
        made = {problem for problem in found if problem.fix in mending.fixes}
        assert not {(one.code, one.excerpt, one.message) for one in made} & {
            (one.code, one.excerpt, one.message) for one in left if one not in found
        }
    else:
        raise AssertionError("there is always another edit")
