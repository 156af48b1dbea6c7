"""From import names to distributions: only what is known for certain."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from recto.declaration import declare
from recto.problems.modules import distribution_for, hint_for_module, known, module_of
from recto.problems.modules.different import AMBIGUOUS, DIFFERENT, UNBUILT
from recto.problems.modules.same import SAME
from recto.problems.modules.standard import BROUGHT_BACK, DROPPED, OWN


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("cv2", "opencv-python-headless"),
        ("sklearn", "scikit-learn"),
        ("sklearn.linear_model", "scikit-learn"),
        ("PIL.Image", "pillow"),
        ("yaml", "PyYAML"),
        ("bs4", "beautifulsoup4"),
        ("ruamel.yaml", "ruamel-yaml"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("polars", "polars"),
        ("great_tables", "great-tables"),
        ("google.cloud.vision_v1p3beta1.types", "google-cloud-vision"),
        ("mpl_toolkits.mplot3d", "matplotlib"),
        ("mpl_toolkits.basemap", "basemap"),
        ("pkg_resources", "setuptools<82"),
        ("distutils.core", "setuptools"),
    ],
)
def test_a_known_module_has_its_distribution(module: str, distribution: str) -> None:
    assert distribution_for(module) == distribution


@pytest.mark.parametrize(
    "module", ["", "google", "my_own_module", "Polars", "sklearn2", "config", "google.cloud", "azure.nothing"]
)
def test_a_module_that_is_not_known_is_never_guessed(module: str) -> None:
    assert distribution_for(module) is None


def test_each_module_stands_in_one_table() -> None:
    for module, distributions in DIFFERENT.items():
        assert canonicalize_name(module) != canonicalize_name(distributions.split()[0]) or "." in module, module
    tables = (SAME, DIFFERENT.keys(), AMBIGUOUS.keys(), UNBUILT.keys(), BROUGHT_BACK.keys(), OWN)
    assert len(frozenset().union(*tables)) == sum(map(len, tables))
    assert DROPPED.keys() >= BROUGHT_BACK.keys()


def test_each_distribution_can_be_declared_as_it_is_written() -> None:
    written = (*DIFFERENT.values(), *AMBIGUOUS.values(), *UNBUILT.values(), *BROUGHT_BACK.values())
    lines = sorted({name for names in written for name in names.split()} | {name.replace("_", "-") for name in SAME})
    declaration = declare({"requirements.txt": "\n".join(lines).encode()}.get)
    assert [str(one.requirement) for one in declaration.requirements] == lines


@pytest.mark.parametrize("module", sorted(AMBIGUOUS))
def test_a_module_of_several_distributions_is_never_given_one(module: str) -> None:
    assert distribution_for(module) is None
    assert len(known(module).names) > 1
    assert all(f"`{name}`" in hint_for_module(module) for name in known(module).names)


@pytest.mark.parametrize(
    ("distribution", "module"),
    [("scikit_learn", "sklearn"), ("beautifulsoup4", "bs4"), ("pillow", "PIL"), ("polars", None), ("nothing", None)],
)
def test_the_name_of_a_package_leads_to_its_module(distribution: str, module: str | None) -> None:
    assert module_of(distribution) == module


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("duckdb", "Add the line `duckdb` to `requirements.txt`."),
        ("tkinter", "does not come with this Python"),
        ("distutils.core", "left Python's standard library in 3.12"),
        ("cgi", "left Python's standard library in 3.13. Add the line `legacy-cgi`"),
        ("google", "`google.api_core` is in `google-api-core`"),
        ("osgeo", "comes with `GDAL`, which has no wheel"),
        ("win32com.client", "only on Windows"),
        ("_speedups", "a part of the package that imports it"),
        ("urllib2", "in Python 3 it is `urllib.request`"),
        ("my_own_module", "it may differ from the import name"),
    ],
)
def test_the_hint_says_how_to_come_by_a_module(module: str, words: str) -> None:
    assert words in hint_for_module(module)
