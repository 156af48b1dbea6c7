"""Every kind of refusal that can be mended: the edit is offered, it is made, and the project resolves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mending import Project
from resolving import Bench

from loopback_index import LoopbackIndex
from recto.problems import Cancelled, Edit
from recto.resolver import Request

pytest_plugins = ("resolver_fixtures",)

Make = Callable[..., Bench]


@pytest.fixture
def project(tmp_path: Path, bench: Make) -> Callable[..., Project]:
    """Makes a project with this `requirements.txt` over a base of these distributions."""

    def make(text: str, *distributions: str, protected: tuple[str, ...] = ()) -> Project:
        (tmp_path / "project").mkdir()
        made = Project(tmp_path / "project", bench(*distributions, protected=protected))
        made.write("requirements.txt", text)
        return made

    return make


def _mended(project: Project) -> str:
    """The text of `requirements.txt` after the edits of every problem, with which it resolves."""
    project.apply(*(found.fix for found in project.refusals()))
    project.resolve()
    return project.text()


def test_a_misspelt_name_becomes_the_nearest_known_one(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("pandas", "2.0", extras=("excel",))
    made = project("# data\n  Pandsa [excel] >=1 ; python_version > '3'  # Pandsa is great\n")
    (found,) = made.refusals()
    assert (found.code, found.package) == ("no-matching-distribution", "pandsa")
    assert found.fix is not None
    assert found.fix.title == "Write `pandas [excel] >=1 ; python_version > '3'`"
    made.apply(found.fix)
    assert made.text() == "# data\n  pandas [excel] >=1 ; python_version > '3'  # Pandsa is great\n"
    made.resolve()


def test_names_of_the_base_are_known(project: Callable[..., Project]) -> None:
    assert _mended(project("house-toools", "house-tools==1.0")) == "house-tools"


def test_a_near_name_that_the_index_lacks_is_not_offered(project: Callable[..., Project]) -> None:
    (found,) = project("pandsa").refusals()
    assert found.fix is None
    assert "pandas" not in found.hint


def test_a_near_name_that_nobody_curated_is_not_offered(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("pandsaa", "1.0")
    (found,) = project("pandsa").refusals()
    assert found.fix is None
    assert "pandsaa" not in found.hint


def test_equally_near_names_are_listed_without_an_edit(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("pypdf", "6.0")
    index.add("pypdf2", "3.0")
    (found,) = project("pypdf3").refusals()
    assert found.fix is None
    assert found.hint.endswith("Packages with a name like it: `pypdf`, `pypdf2`.")


@pytest.mark.parametrize(
    ("written", "said"),
    [("pandsa", "Packages with a name like it: `pandas`."), ("PIL", "The package is `pillow`.")],
)
def test_a_name_is_told_without_an_edit_where_another_line_cannot_be_mended(
    written: str, said: str, project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("pandas", "2.0")
    index.add("pillow", "9.0")
    index.add("tool", "1.0", "vanished")
    (found,) = project(f"{written}\ntool\n").refusals()
    assert found.fix is None
    assert found.hint.endswith(said)


@pytest.mark.parametrize(
    ("written", "meant", "distribution"),
    [
        ("sklearn>=1", "scikit-learn>=1", "scikit-learn"),
        ("PIL", "pillow", "pillow"),
        ("bs4", "beautifulsoup4", "beautifulsoup4"),
        ("opencv", "opencv-python-headless", "opencv-python-headless"),
    ],
)
def test_an_import_name_becomes_its_package(
    written: str, meant: str, distribution: str, project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add(distribution, "2.0")
    assert _mended(project(written)) == meant


def test_every_line_of_a_wrong_name_changes_at_once(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("pillow", "9.0")
    assert _mended(project("PIL\nPIL>=8\n")) == "pillow\npillow>=8\n"


def test_two_wrong_lines_are_both_told_each_with_its_edit(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("pandas", "2.0")
    index.add("tool", "1.0")
    made = project("pandsa\ntool==7  # new\n")
    found = made.refusals()
    assert sorted(one.code for one in found) == ["no-matching-distribution", "no-matching-version"]
    made.apply(*(one.fix for one in found))
    assert made.text() == "pandas\ntool==1.0  # new\n"
    made.resolve()


def test_a_name_and_a_version_that_are_both_wrong_are_one_edit(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("scikit-learn", "1.5")
    made = project("sklearn == 0.0")
    assert len(made.refusals()) == 1
    assert _mended(made) == "scikit-learn == 1.5"


def test_a_pin_between_two_releases_becomes_the_one_below(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    for version in ("1.2.0", "1.3.0", "1.4.0"):
        index.add("tool", version)
    made = project("tool ==1.3.9   # pinned")
    (found,) = made.refusals()
    assert found.hint.endswith("The newest that can be installed here is 1.4.0.")
    assert _mended(made) == "tool ==1.3.0   # pinned"


@pytest.mark.parametrize(("written", "better"), [("tool==1.3", "tool==1.3.5"), ("tool==2.0.0rc1", "tool==2.0.0")])
def test_a_pin_that_means_a_series_becomes_its_newest(
    written: str, better: str, project: Callable[..., Project], index: LoopbackIndex
) -> None:
    for version in ("1.2.0", "1.3.4", "1.3.5", "2.0.0", "2.1.0"):
        index.add("tool", version)
    assert _mended(project(written)) == better


def test_a_range_keeps_what_holds_of_it(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("tool", "2.0")
    assert _mended(project("tool >=1, <2, !=1.5 ; python_version > '3'")) == "tool >=1,!=1.5 ; python_version > '3'"


def test_the_later_of_two_lines_gives_way(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "1.0", "numlib<2")
    index.add("tool", "2.0", "numlib>=2")
    made = project("numlib<2\ntool==2.0\n")
    (found,) = made.refusals()
    assert "`numlib<2` is at requirements.txt:1, `tool==2.0` is at requirements.txt:2." in found.hint
    assert found.fix is not None
    assert found.fix.edits == (Edit("requirements.txt", 2, "tool==2.0", "tool==1.0"),)
    assert _mended(made) == "numlib<2\ntool==1.0\n"


def test_the_earlier_line_gives_way_where_the_later_one_cannot(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "2.0", "numlib>=2")
    assert _mended(project("numlib<2\ntool==2.0\n")) == "numlib\ntool==2.0\n"


def test_two_lines_give_way_where_one_is_not_enough(project: Callable[..., Project], index: LoopbackIndex) -> None:
    for name in ("alpha", "beta"):
        index.add(name, "1.0")
        index.add(name, "2.0")
    index.add("tool", "1.0", "alpha>=2", "beta>=2")
    made = project("alpha<2\nbeta<2\ntool\n")
    assert len(made.refusals()) == 2
    assert _mended(made) == "alpha\nbeta\ntool\n"


def test_lines_that_nothing_brings_together_are_told_so(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("alpha", "1.0", "numlib<1")
    index.add("beta", "1.0", "numlib>=1")
    index.add("numlib", "0.5")
    (found,) = project("alpha==1.0\nbeta==1.0\n").refusals()
    assert found.fix is None
    assert found.hint.endswith("Another version of `alpha` or of `beta` is not enough.")


def test_a_constraint_gives_way_in_its_own_file(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("numlib", "1.0")
    index.add("numlib", "2.0")
    index.add("tool", "2.0", "numlib>=2")
    made = project("-c limits.txt\ntool\n")
    made.write("limits.txt", "# ours\nnumlib<2  # old\n")
    assert _mended(made) == "-c limits.txt\ntool\n"
    assert made.text("limits.txt") == "# ours\nnumlib  # old\n"


def test_a_range_against_a_protected_package_gives_way(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("kernel", "5.0")
    assert _mended(project("kernel<6", "kernel==7.0", protected=("kernel",))) == "kernel"


def test_a_package_that_needs_another_kernel_becomes_one_that_does_not(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("kernel", "8.0")
    index.add("widgets", "1.0", "kernel>=7")
    index.add("widgets", "2.0", "kernel>=8")
    made = project("widgets==2.0", "kernel==7.0", protected=("kernel",))
    assert [found.code for found in made.refusals()] == ["protected-conflict"]
    assert _mended(made) == "widgets==1.0"


def test_what_a_protected_package_needs_is_kept(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("traits", "4.0")
    made = project("traits==4.0", "kernel==7.0: traits>=5", "traits==5.1", protected=("kernel",))
    assert [found.code for found in made.refusals()] == ["protected-conflict"]
    assert _mended(made) == "traits==5.1"


def test_a_release_for_another_python_becomes_one_for_this(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("future", "1.0")
    index.add("future", "2.0", python=">=3.99")
    made = project("future>=2")
    assert [found.code for found in made.refusals()] == ["requires-python"]
    assert _mended(made) == "future"


def test_a_release_without_a_wheel_becomes_one_with(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add_source("soundlib", "1.0")
    index.add("soundlib", "2.0")
    assert _mended(project("soundlib==1.0")) == "soundlib==2.0"


def test_the_pythons_that_have_wheels_are_told(project: Callable[..., Project], index: LoopbackIndex) -> None:
    for tag in ("cp36-cp36m-manylinux_2_17_x86_64", "cp37-cp37m-manylinux_2_17_x86_64"):
        index.add("oldlib", "1.0", tag=tag)
    (found,) = project("oldlib==1.0").refusals()
    assert found.code == "wheel-unsupported"
    assert found.hint.endswith("Wheels of oldlib 1.0 are there for Python 3.6, Python 3.7 only.")


def test_the_platforms_that_have_wheels_are_told(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.add("winlib", "1.0", tag="py3-none-win_amd64")
    (found,) = project("winlib==1.0").refusals()
    assert found.hint.endswith("Wheels of winlib 1.0 are there for `win_amd64` only.")


def test_a_package_with_source_only_becomes_its_ready_made_twin(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add_source("psycopg2", "2.9.9")
    index.add("psycopg2-binary", "2.9.9")
    assert _mended(project("psycopg2==2.9.9  # database")) == "psycopg2-binary==2.9.9  # database"


def test_a_twin_of_another_import_is_named_without_an_edit(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add_source("mysqlclient", "2.0")
    index.add("pymysql", "1.0")
    (found,) = project("mysqlclient").refusals()
    assert found.fix is None
    assert found.hint.endswith("`PyMySQL` has wheels: it is pure Python, imported as `pymysql`.")


def test_who_needs_a_missing_package_becomes_a_version_that_does_not(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("tool", "1.0")
    index.add("tool", "2.0", "vanished")
    assert _mended(project("tool==2.0")) == "tool==1.0"


HASH = f"--hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"tool==7 {HASH}\n", "tool==1.0\n"),
        (f"tool==7 \\\n    {HASH} \\\n    {HASH[:-1]}1  # why\nother\n", "tool==1.0  # why\nother\n"),
        (f"other\ntool==7; python_version>'3' \\\n    {HASH}\n    # via x\n", None),
        (f"tol==1.0 \\\r\n    {HASH}\r\nother\r\n", None),
        (f"pandsa==2.0 \\\r\n    {HASH}\r\nother\r\n", "pandas==2.0\r\nother\r\n"),
    ],
)
def test_a_line_with_hashes_is_replaced_whole_and_the_fix_says_that_they_go(
    text: str, after: str | None, project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("tool", "1.0")
    index.add("other", "1.0")
    index.add("pandas", "2.0")
    made = project("")
    (made.directory / "requirements.txt").write_bytes(text.encode())
    (found,) = made.refusals()
    if after is None and "via" not in text:
        assert found.fix is None  # three letters are near to everything
        return
    assert found.fix is not None
    assert found.fix.title.endswith(", without its hashes")
    assert "Its hashes belong to what stood there, and go." in found.hint
    assert "--hash" not in found.hint
    made.apply(found.fix)
    wanted = after or "other\ntool==1.0; python_version>'3'\n    # via x\n"
    assert (made.directory / "requirements.txt").read_bytes() == wanted.encode()
    made.resolve()


def test_a_line_with_right_hashes_does_not_give_way(project: Callable[..., Project], index: LoopbackIndex) -> None:
    digest = index.add("tool", "2.0", "other<2")
    index.add("tool", "1.0")
    index.add("other", "1.0")
    index.add("other", "2.0")
    made = project(f"other==2.0\ntool==2.0 \\\n    --hash=sha256:{digest}\n")
    (found,) = made.refusals()
    assert found.code == "dependency-conflict"
    assert found.fix is not None
    made.apply(found.fix)
    assert made.text() == f"other==1.0\ntool==2.0 \\\n    --hash=sha256:{digest}\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("tool \\\n  ==7  # why\n", "tool ==1.0  # why\n"),
        ("tool \\\n  ==7 \\\n  # why\n", "tool ==1.0  # why\n"),
        ("other\ntool\\\n==7", "other\ntool==1.0\n"),
    ],
)
def test_a_continued_line_becomes_one_line(
    text: str, after: str, project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("tool", "1.0")
    index.add("other", "1.0")
    made = project(text)
    (found,) = made.refusals()
    assert found.fix is not None
    assert "hashes" not in found.fix.title
    made.apply(found.fix)
    assert made.text() == after


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("doc.qmd", "---\npython:\n  dependencies: [tool, pandsa]  # two\n---\n", "pandas"),
        ("doc.qmd", "---\npython:\n  dependencies:\n    - 'pandsa>=1'   # it\n---\n", "pandas"),
        ("_quarto.yml", 'project:\n  type: website\npython:\n  dependencies:\n    - "pandsa>=1"\n', "pandas"),
        (
            "pyproject.toml",
            '[project]\nname = "x"\ndependencies = [\n  "pandsa >=1; python_version>\'3\'",\n]\n',
            "pandas",
        ),
        ("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['tool', 'pandsa']\n", "pandas"),
    ],
)
def test_the_edit_changes_a_word_of_any_file(
    file: str, before: str, after: str, project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("pandas", "2.0")
    index.add("tool", "1.0")
    made = project("")
    if file == "pyproject.toml":
        (made.directory / "requirements.txt").unlink()
    made.document = file if file == "doc.qmd" else None
    made.write(file, before)
    made.apply(*(found.fix for found in made.refusals()))
    assert made.text(file) == before.replace("pandsa", after)
    made.resolve()


def test_two_edits_of_one_line_are_made_one_after_the_other(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("pandas", "2.0")
    index.add("tool", "1.0")
    made = project("")
    made.document = "doc.qmd"
    made.write("doc.qmd", "---\npython:\n  dependencies: [tool==7, pandsa]\n---\n")
    for _ in range(2):
        made.apply(*(found.fix for found in made.refusals()))
    made.resolve()
    assert "[tool==1.0, pandas]" in made.text("doc.qmd")


def test_a_fix_that_cannot_be_found_in_time_is_left_out(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.mute.add("pandas")
    (found,) = project("pandsa").refusals(seconds_max=2)
    assert (found.code, found.fix) == ("no-matching-distribution", None)


def test_nothing_is_said_of_versions_that_could_not_be_tried_in_time(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("numlib", "1.0")
    index.add("tool", "1.0", "endless")
    index.add("tool", "2.0", "numlib>=2")
    index.add("numlib", "2.0")
    index.mute.add("endless")
    made = project("tool==2.0\nnumlib==1.0\n-c limits.txt\n")
    made.write("limits.txt", "numlib<2")
    (found,) = made.refusals(seconds_max=3)
    assert (found.code, found.fix) == ("dependency-conflict", None)
    assert "is not enough" not in found.hint


def test_looking_for_a_fix_can_be_cancelled(project: Callable[..., Project], index: LoopbackIndex) -> None:
    index.mute.add("pandas")
    made = project("pandsa")
    request = Request(made.declaration(), made.bench.base)
    with pytest.raises(Cancelled):
        made.bench.answer(request, lambda: "/simple/pandas/" in index.asked)


def test_a_search_for_a_fix_is_announced_and_an_answer_has_none(
    project: Callable[..., Project], index: LoopbackIndex
) -> None:
    index.add("tool", "1.0")
    made = project("tool==7")
    made.refusals()
    assert [event.message for event in made.bench.events][1:] == ["looking for what would fit"]
    runs = len(made.bench.sandbox.commands)
    made.write("requirements.txt", "tool")
    made.resolve()
    assert len(made.bench.sandbox.commands) == runs + 1
