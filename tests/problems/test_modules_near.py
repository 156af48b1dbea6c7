"""Misspelt module names, and what an import statement asks for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recto.problems.modules import certain_names, missing_submodule, near_modules, wanted

CERTAIN = certain_names()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("pandsa", "pandas"),
        ("Pandas", "pandas"),
        ("numpi", "numpy"),
        ("matplotlb", "matplotlib"),
        ("mathplotlib", "matplotlib"),
        ("seabron", "seaborn"),
        ("sklaern", "sklearn"),
    ],
)
def test_a_slip_of_the_hand_is_clear(word: str, name: str) -> None:
    assert (near_modules(word, CERTAIN).names, near_modules(word, CERTAIN).clear) == ((name,), True)


@pytest.mark.parametrize("word", ["torchx", "pandas2", "polar", "pill", "PyQt7", "numpyro2", "xyaml", "jaxx"])
def test_what_may_be_another_name_is_never_clear(word: str) -> None:
    assert not near_modules(word, CERTAIN).clear


def test_a_slip_between_two_names_is_not_clear() -> None:
    assert near_modules("plotny", ["plotly", "plotnx", "other"]).clear is False
    assert set(near_modules("plotny", ["plotly", "plotnx", "other"]).names) == {"plotly", "plotnx"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(name for name in CERTAIN if len(name) > 5 and name.isalpha())), st.data())
def test_two_swapped_letters_are_always_found(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 2))
    word = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    if word in CERTAIN:
        return
    assert name in near_modules(word, CERTAIN).names


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=8))
def test_any_text_has_an_answer(word: str, names: list[str]) -> None:
    found = near_modules(word, names)
    assert set(found.names) <= set(names)
    assert len(found.names) <= 3


@pytest.mark.parametrize(
    ("module", "lines", "asked"),
    [
        ("google", ["from google.cloud import storage"], ("google.cloud.storage",)),
        ("google", ["from google.cloud import (", "    storage as s,", "    bigquery,", ")"], None),
        ("ruamel", ["    import ruamel.yaml as y"], ("ruamel.yaml",)),
        ("yaml", ["import os, yaml"], ("yaml",)),
        ("yaml", ["from yaml import safe_load"], ("yaml.safe_load",)),
        ("yaml", ["import helper"], ()),
        ("yaml", ["importlib.import_module('yaml')"], ()),
        ("yaml", ["%pip install yaml"], ()),
        ("yaml", ["from yamlx import y"], ()),
        ("yaml", ["from . import yaml"], ()),
        ("yaml", [], ()),
    ],
)
def test_an_import_is_read_in_full(module: str, lines: list[str], asked: tuple[str, ...] | None) -> None:
    several = ("google.cloud.storage", "google.cloud.bigquery")
    assert wanted(module, lines) == (several if asked is None else asked)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_lines_can_be_read(lines: list[str]) -> None:
    assert all(name.startswith("yaml") for name in wanted("yaml", lines))


@pytest.mark.parametrize(
    ("message", "module"),
    [
        ("cannot import name 'storage' from 'google.cloud' (unknown location)", "google.cloud.storage"),
        ("cannot import name 'x' from 'pandas' (/somewhere/pandas/__init__.py)", None),
        ("No module named 'yaml'", None),
    ],
)
def test_a_part_of_a_namespace_that_is_missing_is_a_module(message: str, module: str | None) -> None:
    assert missing_submodule(message) == module
