"""Removal of what strangers left."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from strangers import SECRET, TRICKS, Trick, as_nobody, deep, in_memory, many, outside

from recto.sandbox.beneath import Beneath
from recto.sandbox.removing import discarded, removed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def test_a_file_a_link_and_a_tree_are_removed(project: Path, tmp_path: Path) -> None:
    away = outside(tmp_path)
    (project / "file").touch()
    (project / "link").symlink_to(away)
    (project / "tree" / "sub").mkdir(parents=True)
    (project / "tree" / "sub" / "link").symlink_to(away / "figures")
    (project / "tree" / "sub" / "file").touch()
    with Beneath(project) as opened:
        assert all(removed(opened, name) for name in ("file", "link", "tree", "none"))
    assert list(project.iterdir()) == []
    assert (away / "figures" / "secret").read_text() == SECRET


@pytest.mark.parametrize("trick", TRICKS[:12], ids=lambda trick: trick.__name__)
def test_tricks_are_removed_with_their_directory_and_lead_nowhere(project: Path, tmp_path: Path, trick: Trick) -> None:
    away = outside(tmp_path)
    trick(project, away)
    assert discarded(project)
    assert not project.exists()
    assert (away / "secret").read_text() == (away / "figures" / "secret").read_text() == SECRET


def test_a_linked_way_to_what_is_to_be_removed_is_not_taken(project: Path, tmp_path: Path) -> None:
    away = outside(tmp_path)
    (project / "sub").symlink_to(away)
    with Beneath(project) as opened:
        assert not removed(opened, "sub/figures")
        with pytest.raises(OSError, match="outside of its directory"):
            removed(opened, "../outside")
    assert (away / "figures" / "secret").exists()


@pytest.mark.parametrize("levels", [300, 5000])
def test_a_deep_tree_takes_few_descriptors_and_no_stack(tmp_path: Path, levels: int) -> None:
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from recto.sandbox.removing import discarded; import recto.sandbox.openat2\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)); sys.setrecursionlimit(60)\n"
        "print(discarded(Path(sys.argv[1])))\n"
    )
    with in_memory(tmp_path) as directory:
        (directory / "project").mkdir()
        deep(directory / "project", levels)
        argv = [sys.executable, "-c", code, str(directory / "project")]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert done.stdout == "True\n"
        assert list(directory.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 12


def test_two_hundred_thousand_names_are_removed(tmp_path: Path) -> None:
    with in_memory(tmp_path) as directory:
        (directory / "project").mkdir()
        many(directory / "project", 200_000)
        assert discarded(directory / "project")
        assert list(directory.iterdir()) == []


def test_what_is_more_than_allowed_stays(project: Path) -> None:
    for number in range(20):
        (project / str(number)).touch()
    assert not discarded(project, entries_max=10)
    assert len(list(project.iterdir())) == 10
    assert discarded(project)


def test_modes_do_not_keep_a_plain_user_from_removing_what_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    # By the working directory, since others may not pass the directories above it.
    monkeypatch.chdir(tmp_path)
    tree = Path("tree")
    with as_nobody():
        for name in ("closed", "written", "listed/inner"):
            (tree / name / "deeper").mkdir(parents=True)
            (tree / name / "deeper" / "file").touch()
        (tree / "closed").chmod(0)
        (tree / "written" / "deeper").chmod(0)
        (tree / "written").chmod(0o300)
        (tree / "listed" / "inner").chmod(0o500)
        (tree / "listed").chmod(0o400)
        tree.chmod(0o500)
    with Beneath(tmp_path) as opened:
        opened.is_plain("tree")
        with as_nobody():
            assert removed(opened, "tree")
    assert not (tmp_path / "tree").exists()


def test_a_file_of_somebody_else_stays_and_is_told(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can leave a file that another user may not remove")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "kept").touch()
    with Beneath(tmp_path) as opened, as_nobody():
        assert not removed(opened, "project")
    assert (tmp_path / "project" / "kept").exists()


def test_another_volume_in_the_tree_is_left_alone(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from recto.sandbox.removing import discarded\n"
        "print(discarded(Path(sys.argv[1])))\n"
    )
    tree, volume = tmp_path / "tree", tmp_path / "volume"
    (tree / "sub" / "mounted").mkdir(parents=True)
    (tree / "file").touch()
    volume.mkdir()
    (volume / "kept").touch()
    # A bind mount of the same file system: its device is no other.
    command = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$5"'
    inside = [str(volume), str(tree / "sub" / "mounted"), sys.executable, code, str(tree)]
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", command, "sh", *inside], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no mount can be made here: {done.stderr}")
    assert done.stdout == "False\n"
    assert (volume / "kept").exists()
    assert not (tree / "file").exists()
