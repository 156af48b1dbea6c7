"""Advice on a missing module: the project's files, its declaration, the base and the store, all of them real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes import base
from recto.declaration import declare, mending
from recto.environments import Environment
from recto.environments.model import Origin
from recto.environments.providers import Providers
from recto.problems import Edit, Problem, Source, problem
from recto.render import Project
from recto.render.declaring import Declaring
from recto.render.missing import Missing
from recto.render.misspelt import respelt
from recto.store import Store
from recto.store.layout import Layout
from shelf import install, publish

Advise = Callable[..., Problem]
DOCUMENT = "paper.qmd"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "data")


@pytest.fixture
def advise(tmp_path: Path, root: Path) -> Advise:
    """What is said of a module that the statement, alone in its document, missed."""

    def act(
        statement: str, module: str, origin: Origin = "cached", document: str = DOCUMENT, excerpt: str = ""
    ) -> Problem:
        path = root / document
        path.parent.mkdir(parents=True, exist_ok=True)
        line = 1
        if not path.exists():
            path.write_text(f"Words.\n\n```{{python}}\n{statement}\n```\n")
        line = path.read_text().split("\n").index(statement) + 1
        project = Project(root)
        declaring = Declaring(project, document, declare(project.read, document))
        environment = Environment(None, Path("python"), tmp_path / "base", origin)
        providers = Providers(Layout.of(tmp_path / "data"), base(tmp_path / "base"))
        found = problem("missing-module", package=module, source=Source(document, line), hint="none", excerpt=excerpt)
        return Missing(declaring, environment, providers).advised(found)

    return act


def mended(root: Path, found: Problem) -> str:
    """The only file that the fix changes, with the fix made on the disk."""
    assert found.fix is not None, found.hint
    (name,) = {edit.file for edit in found.fix.edits}
    before = (root / name).read_bytes() if (root / name).exists() else None
    (root / name).write_bytes(mending.mended(before, found.fix.edits))
    return (root / name).read_text()


def asked(root: Path, document: str = DOCUMENT) -> set[str]:
    return {str(one.requirement) for one in declare(Project(root).read, document).requirements}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (None, "opencv-python-headless\n"),
        ("", "opencv-python-headless\n"),
        ("polars", "polars\nopencv-python-headless\n"),
        ("polars\n", "polars\nopencv-python-headless\n"),
        ("polars\r\n# mine\r\n", "polars\r\n# mine\r\nopencv-python-headless\r\n"),
        ("polars\n\n\n", "polars\n\n\nopencv-python-headless\n"),
        ("polars\n# a remark \\", "polars\n# a remark \\\nopencv-python-headless\n"),
        ("polars \\", "opencv-python-headless\npolars \\"),
    ],
)
def test_the_line_that_is_missing_is_added_and_nothing_else_changes(
    advise: Advise, root: Path, text: str | None, after: str
) -> None:
    if text is not None:
        (root / "requirements.txt").write_bytes(text.encode())
    found = advise("import cv2", "cv2")
    assert found.fix is not None
    assert found.fix.title == "Add opencv-python-headless to requirements.txt"
    assert found.package == "cv2"
    assert mending.mended((text or "").encode(), found.fix.edits).decode() == after


@pytest.mark.parametrize(
    ("file", "text", "after"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "x"\ndependencies = [\n    "polars",\n    "duckdb"\n]\n',
            '[project]\nname = "x"\ndependencies = [\n    "pyyaml",\n    "polars",\n    "duckdb"\n]\n',
        ),
        (
            "pyproject.toml",
            '[project]\nname = "x"\ndependencies = ["polars"]\n',
            '[project]\nname = "x"\ndependencies = ["pyyaml", "polars"]\n',
        ),
        (
            "_quarto.yml",
            "python:\n  dependencies:\n    - polars\n    - duckdb\n",
            "python:\n  dependencies:\n    - pyyaml\n    - polars\n    - duckdb\n",
        ),
        ("_quarto.yml", "python: {dependencies: [polars]}\n", "python: {dependencies: [pyyaml, polars]}\n"),
        (
            "paper.qmd",
            "---\npython:\n  dependencies: ['polars']\n---\n```{python}\nimport yaml\n```\n",
            "---\npython:\n  dependencies: ['pyyaml', 'polars']\n---\n```{python}\nimport yaml\n```\n",
        ),
    ],
)
def test_a_package_is_added_where_the_project_declares(
    advise: Advise, root: Path, file: str, text: str, after: str
) -> None:
    (root / file).write_text(text)
    found = advise("import yaml", "yaml")
    assert f"in `{file}`" in found.hint or f"of `{file}`" in found.hint
    before = asked(root)
    assert mended(root, found).lower() == after
    assert {name.lower() for name in asked(root)} == before | {"pyyaml"}


def test_a_declaration_that_no_line_can_mend_is_told_in_words(advise: Advise, root: Path) -> None:
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = [ # [\n"polars", "duckdb"]\n')
    (root / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
    found = advise("import yaml", "yaml")
    assert found.fix is None
    assert found.hint == "Add `PyYAML` to what `pylock.toml` was made from, and lock again."


def test_a_new_file_never_stands_in_the_place_of_what_was_asked(advise: Advise, root: Path) -> None:
    (root / "pyproject.toml").write_text('[project]\nname = "x"\nrequires-python = ">=3.8"\n')
    found = advise("import yaml", "yaml")
    assert found.fix is None
    assert "`PyYAML`" in found.hint


def test_every_part_of_a_namespace_gets_its_package(advise: Advise, root: Path) -> None:
    found = advise("from google.cloud import storage, bigquery", "google")
    assert mended(root, found) == "google-cloud-storage\ngoogle-cloud-bigquery\n"
    assert "`google-cloud-storage`" in found.hint
    assert "`google-cloud-bigquery`" in found.hint


def test_a_namespace_without_a_part_is_never_given_a_package(advise: Advise, store: Store) -> None:
    publish(store, 1, {"protobuf-7": ("google/protobuf/__init__.py",)})
    found = advise("import google", "google")
    assert found.fix is None
    assert "`protobuf`" in found.hint


@pytest.mark.parametrize("module", ["ffmpeg", "magic", "osgeo", "win32com", "cPickle", "_speedups", "nobodys_module"])
def test_what_is_not_certain_has_no_fix(advise: Advise, module: str) -> None:
    assert advise(f"import {module}", module).fix is None


def test_what_an_environment_shows_is_suggested(advise: Advise, root: Path, store: Store) -> None:
    publish(store, 1, {"alpha_tools-1": ("alpha/__init__.py",)})
    found = advise("import alpha.part as a", "alpha")
    assert "`alpha-tools` brings `alpha` to another environment" in found.hint
    assert mended(root, found) == "alpha-tools\n"


def test_several_that_environments_show_are_all_named_and_none_is_chosen(advise: Advise, store: Store) -> None:
    publish(store, 1, {"alpha_tools-1": ("alpha.py",), "alpha_other-1": ("alpha.py",)})
    found = advise("import alpha", "alpha")
    assert found.fix is None
    assert "`alpha-tools`" in found.hint
    assert "`alpha-other`" in found.hint


def test_an_environment_never_outweighs_the_tables(advise: Advise, root: Path, store: Store) -> None:
    publish(store, 1, {"yaml_of_a_stranger-1": ("yaml/__init__.py",)})
    found = advise("import yaml", "yaml")
    assert mended(root, found) == "PyYAML\n"
    assert "`yaml-of-a-stranger`" in found.hint


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("cv2", "Add the line `opencv-python-headless`"),
        ("magic", "provide a module `magic`, and differ"),
        ("osgeo", "ask the operator for it"),
        ("win32com", "which exists only on Windows"),
        ("tkinter", "does not come with this Python"),
        ("imp", "left Python's standard library"),
        ("urllib2", "is a name of Python 2"),
        ("google", "Many packages share the name"),
        ("_speedups", "is a part of the package that imports it"),
    ],
)
def test_a_package_of_a_stranger_that_claims_a_module_of_the_tables_stands_behind_them(
    advise: Advise, root: Path, store: Store, module: str, said: str
) -> None:
    publish(store, 1, {"of_a_stranger-1": (f"{module}/__init__.py",)})
    found = advise(f"import {module}", module)
    assert said in found.hint
    assert found.hint.index(said) < found.hint.index("(`of-a-stranger`, which other environments have, brings")
    assert "of-a-stranger" not in (mended(root, found) if found.fix else "")
    assert (found.fix is None) == (module != "cv2")


def test_a_package_that_the_tables_name_too_is_not_named_twice(advise: Advise, store: Store) -> None:
    publish(store, 1, {"python_magic-1": ("magic/__init__.py",), "of_a_stranger-1": ("magic.py",)})
    found = advise("import magic", "magic")
    assert (found.fix, found.hint.count("`python-magic`")) == (None, 1)
    assert "(`of-a-stranger`, which other environments have, brings" in found.hint


def test_a_package_of_a_stranger_with_nearly_the_name_of_another_stands_behind_it(advise: Advise, store: Store) -> None:
    near = advise("import seaborne", "seaborne")
    publish(store, 1, {"of_a_stranger-1": ("seaborne.py",)})
    found = advise("import seaborne", "seaborne")
    assert (near.fix, found.fix) == (None, None)
    aside = "(`of-a-stranger`, which other environments have, brings a module of this name too.)"
    assert found.hint == f"{near.hint} {aside}"


@pytest.mark.parametrize("module", ["tkinter", "imp", "urllib2"])
def test_what_the_tables_explain_is_no_misspelling(advise: Advise, module: str) -> None:
    assert "misspelling" not in advise(f"import {module}", module).hint


def test_a_package_named_like_a_misspelling_is_not_offered(advise: Advise, store: Store, tmp_path: Path) -> None:
    publish(store, 1, {"pandsa-1": ("pandsa/__init__.py",)})
    install(tmp_path / "base" / "lib", "pandas-3", "pandas/__init__.py")
    found = advise("import pandsa as pd", "pandsa")
    assert found.fix is not None
    assert [(edit.old, edit.new) for edit in found.fix.edits] == [("import pandsa as pd", "import pandas as pd")]


def test_a_misspelling_is_mended_in_the_document(advise: Advise, root: Path, tmp_path: Path) -> None:
    install(tmp_path / "base" / "lib", "pandas-3", "pandas/__init__.py")
    found = advise("import pandsa as pd", "pandsa")
    assert found.hint == "It may be a misspelling of `pandas`, which is installed."
    assert mended(root, found) == "Words.\n\n```{python}\nimport pandas as pd\n```\n"


def test_a_misspelt_name_that_is_used_again_is_told_in_words(advise: Advise, root: Path, tmp_path: Path) -> None:
    install(tmp_path / "base" / "lib", "pandas-3", "pandas/__init__.py")
    (root / DOCUMENT).write_text("```{python}\nimport pandsa\npandsa.DataFrame()\n```\n")
    found = advise("import pandsa", "pandsa")
    assert (found.fix, "`pandas`" in found.hint) == (None, True)


def test_a_name_that_is_nearly_several_is_not_mended(advise: Advise) -> None:
    found = advise("import torchx as t", "torchx")
    assert (found.fix, "`torch`" in found.hint) == (None, True)


def test_the_name_of_a_package_is_not_the_name_of_its_module(advise: Advise, root: Path) -> None:
    found = advise("from scikit_learn import svm", "scikit_learn")
    assert "imported as `sklearn`" in found.hint
    assert "from sklearn import svm" in mended(root, found)


def test_the_import_of_a_helper_is_read_from_the_traceback(advise: Advise, root: Path) -> None:
    excerpt = (
        "----> 1 import helper\n\nFile helper.py:2\n      1 import os\n----> 2 from google.cloud import storage\n\n"
    )
    found = advise("import helper", "google", excerpt=f"{excerpt}ModuleNotFoundError: No module named 'google'")
    assert mended(root, found) == "google-cloud-storage\n"


def test_a_module_of_a_helper_is_no_misspelling_of_the_document(advise: Advise) -> None:
    found = advise("import helper", "pandsa")
    assert (found.fix, "misspelling" in found.hint) == (None, False)


def test_a_file_elsewhere_in_the_project_is_no_package(advise: Advise, root: Path) -> None:
    (root / "code").mkdir()
    (root / "code" / "utils.py").touch()
    found = advise("import utils", "utils", document="chapters/one.qmd")
    assert found.fix is None
    assert "`code/utils.py` is a file of the project" in found.hint
    assert "`code`" in found.hint


def test_a_file_of_the_project_with_the_name_of_a_package_leaves_the_choice(advise: Advise, root: Path) -> None:
    (root / "old").mkdir()
    (root / "old" / "yaml.py").touch()
    found = advise("import yaml", "yaml")
    assert found.fix is None
    assert "`old/yaml.py`" in found.hint
    assert "`PyYAML`" in found.hint


def test_a_file_beside_the_document_that_hides_a_package_is_named(advise: Advise, root: Path) -> None:
    (root / "yaml.py").touch()
    found = advise("import yaml.nodes", "yaml.nodes")
    assert found.fix is None
    assert "`yaml.py` is what `yaml` means here" in found.hint


def test_a_file_beside_the_document_that_cells_do_not_find_is_named(advise: Advise, root: Path) -> None:
    (root / "chapters").mkdir()
    (root / "chapters" / "utils.py").touch()
    found = advise("import utils", "utils", document="chapters/one.qmd")
    assert "`chapters/utils.py` is a file of the project, and cells do not look there: add `chapters`" in found.hint


@pytest.mark.parametrize("module", ["tests", "utils", "config"])
def test_a_name_for_files_of_ones_own_is_never_a_package(advise: Advise, store: Store, module: str) -> None:
    publish(store, 1, {"careless-1": (f"{module}/__init__.py", "careless.py")})
    found = advise(f"import {module}", module)
    assert found.fix is None
    assert "careless" not in found.hint
    assert f"there is no `{module}.py`" in found.hint


def test_a_document_with_braces_in_its_name_is_named(advise: Advise, root: Path) -> None:
    (root / "a{b}{}.qmd").write_text("---\npython: {dependencies: [polars]}\n---\n```{python}\nimport yaml\n```\n")
    found = advise("import yaml", "yaml", document="a{b}{}.qmd")
    assert found.hint == "Add `PyYAML` to `python: dependencies` at the top of `a{b}{}.qmd`."
    assert found.fix is not None


def test_a_part_that_nobody_knows_does_not_keep_back_the_others(advise: Advise, root: Path) -> None:
    assert mended(root, advise("from google.cloud import storage, nothing", "google")) == "google-cloud-storage\n"


def test_a_virtual_environment_in_the_project_is_none_of_its_files(advise: Advise, root: Path) -> None:
    site = root / "venv" / "lib"
    site.mkdir(parents=True)
    (root / "venv" / "pyvenv.cfg").touch()
    (site / "yaml.py").touch()
    assert mended(root, advise("import yaml", "yaml")) == "PyYAML\n"


def test_what_is_declared_and_may_not_be_installed_is_not_declared_again(advise: Advise, root: Path) -> None:
    (root / "requirements.txt").write_text("polars\npyyaml>=6\n")
    found = advise("import yaml", "yaml", origin="base")
    assert found.fix is None
    assert found.hint == "`requirements.txt:2` asks for `pyyaml`, but this render has only the packages of the base."


def test_what_is_declared_for_other_machines_is_told_so(advise: Advise, root: Path) -> None:
    (root / "requirements.txt").write_text("pyyaml; sys_platform == 'win32'\n")
    found = advise("import yaml", "yaml")
    assert found.fix is None
    assert 'only where `sys_platform == "win32"`' in found.hint


def test_what_is_declared_under_the_name_of_the_module_and_has_none_is_told_so(advise: Advise, root: Path) -> None:
    (root / "requirements.txt").write_text("nobodys-module\n")
    found = advise("import nobodys_module", "nobodys_module")
    assert found.fix is None
    assert "`requirements.txt:1` asks for `nobodys-module`" in found.hint


def test_a_part_that_an_installed_package_has_lost_is_not_installed_again(advise: Advise, tmp_path: Path) -> None:
    install(tmp_path / "base" / "lib", "scikit_learn-1.9.0", "sklearn/__init__.py", "sklearn/svm/__init__.py")
    found = advise("from sklearn.externals import joblib", "sklearn.externals")
    assert found.fix is None
    assert "`scikit-learn` 1.9.0" in found.hint


def test_a_misspelt_part_of_an_installed_package_is_mended(advise: Advise, root: Path, tmp_path: Path) -> None:
    install(tmp_path / "base" / "lib", "matplotlib-3.9", "matplotlib/__init__.py", "matplotlib/pyplot.py")
    found = advise("import matplotlib.pyplt as plt", "matplotlib.pyplt")
    assert found.hint == "It may be a misspelling of `matplotlib.pyplot`, which is installed."
    assert "import matplotlib.pyplot as plt\n" in mended(root, found)


def test_of_lines_for_several_machines_the_one_for_this_one_counts(advise: Advise, root: Path) -> None:
    (root / "requirements.txt").write_text("pyyaml<6; sys_platform == 'win32'\npyyaml; sys_platform != 'win32'\n")
    assert "`requirements.txt:2` asks for `pyyaml`, which is installed" in advise("import yaml", "yaml").hint


def test_a_part_of_a_namespace_is_declared_although_another_part_is_installed(
    advise: Advise, root: Path, tmp_path: Path
) -> None:
    install(tmp_path / "base" / "lib", "protobuf-7", "google/protobuf/__init__.py")
    assert mended(root, advise("import google.cloud.storage", "google.cloud")) == "google-cloud-storage\n"


def test_other_problems_stay_as_they_are(tmp_path: Path, root: Path) -> None:
    project = Project(root)
    declaring = Declaring(project, DOCUMENT, declare(project.read))
    providers = Providers(Layout.of(tmp_path / "data"), base(tmp_path / "base"))
    environment = Environment(None, Path("python"), tmp_path, "base")
    other = problem("kernel-died", document=DOCUMENT)
    assert Missing(declaring, environment, providers).advised(other) == other


@pytest.mark.parametrize("line", [None, 0, 3, 1])
def test_a_place_that_is_no_line_of_the_document_mends_nothing(line: int | None) -> None:
    lines = ["import os", "import polrs"]

    assert respelt("polrs", "polars", Source("paper.qmd", line), lines) is None


def test_the_line_of_a_slip_is_mended() -> None:
    fix = respelt("polrs", "polars", Source("paper.qmd", 2), ["import os", "import polrs"])

    assert fix is not None
    assert fix.edits == (Edit("paper.qmd", 2, "import polrs", "import polars"),)
