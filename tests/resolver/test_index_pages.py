"""Pages of the index count as current for some minutes, unless somebody asks for what is new or nothing fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from resolving import Bench, declared
from uv import find_uv_bin

from loopback_index import LoopbackIndex
from recto.interpreters import Base
from recto.problems import ResolveError
from recto.resolver import Request
from recto.resolver.index_pages import credentials, default_index, index_settings
from recto.sandbox.none import NoSandbox

pytest_plugins = ("resolver_fixtures",)

Make = Callable[..., Bench]


@pytest.fixture
def patient(bench: Make, index: LoopbackIndex) -> Bench:
    """A bench for which pages stay current for an hour, and that has read the page of `spam`."""
    index.add("spam", "1.0")
    patient = replace(bench(), page_seconds=3600)
    assert versions(patient) == {"spam": "1.0"}
    return patient


def versions(bench: Bench, *lines: str, current: bool = False) -> dict[str, str]:
    lock = bench.answer(Request(declared(*(lines or ("spam",))), bench.base, current=current)).lock
    return {package.name: str(package.version) for package in lock.packages}


def test_a_page_that_was_just_read_is_not_asked_for_again(patient: Bench, index: LoopbackIndex) -> None:
    asked = list(index.asked)
    index.add("spam", "2.0")
    assert versions(patient) == {"spam": "1.0"}
    assert index.asked == asked


def test_an_update_asks_the_index(patient: Bench, index: LoopbackIndex) -> None:
    index.add("spam", "2.0")
    assert versions(patient, current=True) == {"spam": "2.0"}


def test_a_release_that_the_page_lacks_is_asked_for(patient: Bench, index: LoopbackIndex) -> None:
    index.add("spam", "2.0")
    assert versions(patient, "spam==2.0") == {"spam": "2.0"}


def test_that_nothing_fits_is_said_of_the_index_as_it_is_now(patient: Bench, index: LoopbackIndex) -> None:
    index.add("spam", "2.0")
    with pytest.raises(ResolveError) as raised:
        versions(patient, "spam==3.0")
    assert "The newest that can be installed here is 2.0" in str(raised.value.problems[0].hint)


def test_zero_seconds_ask_each_time(bench: Make, index: LoopbackIndex) -> None:
    index.add("spam", "1.0")
    impatient = bench()
    assert versions(impatient) == {"spam": "1.0"}
    index.add("spam", "2.0")
    assert versions(impatient) == {"spam": "2.0"}


def test_credentials_reach_the_index_and_stand_in_no_file_or_argument(bench: Make, index: LoopbackIndex) -> None:
    index.password = "s3cret p/w"
    index.add("spam", "1.0")
    made = replace(bench(), index_url=index.url, page_seconds=3600)
    assert versions(made) == {"spam": "1.0"}
    (command,) = made.sandbox.commands
    assert "s3cret" not in " ".join(command.argv)
    assert "s3cret p/w" in command.environment.values()
    settings = index_settings(index.url, 60)
    assert "reader" not in settings
    assert "s3cret" not in settings


def test_an_address_without_credentials_gives_none() -> None:
    assert credentials("http://127.0.0.1/simple/") == {}


def test_uv_tells_its_default_index_once(tmp_path: Path, kernel_base: Base) -> None:
    cache = tmp_path / "uv"
    cache.mkdir()
    first = default_index(Path(find_uv_bin()), kernel_base, cache, NoSandbox())
    assert first is not None
    assert first.startswith("https://")
    memory = tmp_path / "default-index.json"
    kept = json.loads(memory.read_bytes())
    memory.write_text(json.dumps({**kept, "url": "http://127.0.0.1/kept"}))
    assert default_index(Path(find_uv_bin()), kernel_base, cache, NoSandbox()) == "http://127.0.0.1/kept"
    memory.write_text("{")
    assert default_index(Path(find_uv_bin()), kernel_base, cache, NoSandbox()) == first
