"""From import names to distributions: only what is known for certain."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from recto.problems import modules
from recto.problems.modules import distribution_for, hint_for_module


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("cv2", "opencv-python-headless"),
        ("sklearn", "scikit-learn"),
        ("sklearn.linear_model", "scikit-learn"),
        ("PIL.Image", "pillow"),
        ("yaml", "PyYAML"),
        ("bs4", "beautifulsoup4"),
        ("ruamel.yaml", "ruamel.yaml"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("polars", "polars"),
        ("great_tables", "great-tables"),
    ],
)
def test_a_known_module_has_its_distribution(module: str, distribution: str) -> None:
    assert distribution_for(module) == distribution


@pytest.mark.parametrize("module", ["", "google", "my_own_module", "Polars", "sklearn2", "config"])
def test_a_module_that_is_not_known_is_never_guessed(module: str) -> None:
    assert distribution_for(module) is None


def test_the_tables_hold_different_names_in_one_and_same_names_in_the_other() -> None:
    for module, distribution in modules._DIFFERENT.items():
        assert canonicalize_name(module) != canonicalize_name(distribution) or "." in module, module
    assert not modules._SAME & modules._DIFFERENT.keys()


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("duckdb", "Add the line `duckdb` to `requirements.txt`."),
        ("tkinter", "does not come with this Python"),
        ("distutils.core", "left Python's standard library in 3.12"),
        ("urllib2", "in Python 3 it is `urllib.request`"),
        ("my_own_module", "it may differ from the import name"),
    ],
)
def test_the_hint_says_how_to_come_by_a_module(module: str, words: str) -> None:
    assert words in hint_for_module(module)
