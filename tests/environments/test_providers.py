"""What environments of a store and directories of packages show of modules: real manifests and RECORDs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fakes import base
from recto.environments import Environment
from recto.environments import providers as room
from recto.environments.installed import Bringing, bringing, importable
from recto.environments.providers import Providers
from recto.store import Store
from recto.store.layout import Layout
from shelf import install, key, publish


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "data")


@pytest.fixture
def providers(tmp_path: Path) -> Providers:
    return Providers(Layout.of(tmp_path / "data"), base(tmp_path / "base"))


def names(found: tuple[Bringing, ...]) -> list[tuple[str, bool]]:
    return [(one.name, one.own) for one in found]


def test_a_module_leads_to_the_distribution_that_brought_it(store: Store, providers: Providers) -> None:
    publish(store, 1, {"alpha_tools-1.2": ("alpha/__init__.py", "alpha/part.py"), "beta-2": ("beta.py",)})
    assert providers.recorded("alpha") == (Bringing("alpha-tools", "1.2", True),)
    assert names(providers.recorded("alpha.part")) == [("alpha-tools", True)]
    assert names(providers.recorded("beta")) == [("beta", True)]
    assert providers.recorded("alpha.nothing") == ()
    assert providers.recorded("alph") == ()


def test_a_shared_name_is_told_from_an_own_one(store: Store, providers: Providers) -> None:
    publish(store, 1, {"cloud_a-1": ("cloud/a/__init__.py",), "cloud_b-1": ("cloud/b/__init__.py",)})
    assert names(providers.recorded("cloud")) == [("cloud-a", False), ("cloud-b", False)]
    assert names(providers.recorded("cloud.b")) == [("cloud-b", True)]


def test_a_compiled_module_counts(store: Store, providers: Providers) -> None:
    publish(store, 1, {"fast-1": ("fast/__init__.cpython-311-x86_64-linux-gnu.so",)})
    assert names(bringing("fast", _site(providers, 1))) == [("fast", True)]
    publish(store, 2, {"quick-1": ("quick.abi3.so",)})
    assert names(bringing("quick", _site(providers, 2))) == [("quick", True)]


def test_the_last_used_environment_comes_first(store: Store, providers: Providers) -> None:
    for number, distribution in enumerate(("old-1", "young-1", "older-1")):
        os.utime(publish(store, number, {distribution: ("m.py",)}), (1000 + number % 2, 1000 + number % 2))
    assert names(providers.recorded("m"))[0] == ("young", True)
    assert len(providers.recorded("m")) == 3


def test_no_more_environments_are_read_than_that(
    store: Store, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        os.utime(publish(store, number, {f"d{number}-1": ("m.py",)}), (1000 + number, 1000 + number))
    monkeypatch.setattr(room, "_ENVIRONMENTS_MAX", 2)
    assert names(providers.recorded("m")) == [("d3", True), ("d2", True)]


def test_a_manifest_of_any_length_is_bounded(
    store: Store, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, 1, {"d-1": ("m.py",)})
    monkeypatch.setattr(room, "_MANIFEST_BYTES_MAX", 20)
    assert providers.recorded("m") == ()


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "[]", "null", '{"modules": 3}', '{"modules": {"d": "m"}}', "[" * 100_000, '{"modules": {"d": [3]}}'],
)
def test_a_manifest_that_is_none_is_a_miss(store: Store, providers: Providers, manifest: str) -> None:
    path = publish(store, 1, {"d-1": ("m.py",)})
    path.chmod(0o755)
    (path / "recto.json").unlink()
    (path / "recto.json").write_text(manifest)
    assert providers.recorded("m") == ()


def test_an_environment_that_is_gone_or_half_there_is_a_miss(store: Store, providers: Providers) -> None:
    path = publish(store, 1, {"d-1": ("m.py",)})
    for directory in (path, *path.rglob("*")):
        if directory.is_dir():
            directory.chmod(0o755)
    shutil.rmtree(path / "lib")
    assert providers.recorded("m") == ()
    shutil.rmtree(path)
    assert providers.recorded("m") == ()


def test_a_store_that_was_never_made_shows_nothing(tmp_path: Path) -> None:
    nowhere = Providers(Layout.of(tmp_path / "nowhere"), base(tmp_path / "base"))
    assert nowhere.recorded("m") == ()
    assert nowhere.importable(Environment(None, Path("python"), tmp_path, "base")) == frozenset()


def test_what_can_be_imported_is_what_lies_there(tmp_path: Path) -> None:
    install(tmp_path, "a-1", "a/__init__.py", "b.py", "c.cpython-311-x86_64-linux-gnu.so")
    (tmp_path / "not-a-name").mkdir()
    (tmp_path / "__pycache__").mkdir()
    assert importable((tmp_path, tmp_path / "nowhere")) == {"a", "b", "c"}


def _site(providers: Providers, number: int) -> Path:
    return providers.layout.environments / str(key(number)) / "lib" / "python3.11" / "site-packages"
