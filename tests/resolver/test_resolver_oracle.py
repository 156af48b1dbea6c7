"""Against pip: the same distributions over the same base for real declarations, or a difference that is explained."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from curated import layer_with_pip
from msgspec.structs import replace
from oracle import DAY, Difference, PipAnswer, ask_pip, differences
from resolving import NETWORK, Bench
from uv import find_uv_bin

from fakes import CountingSandbox
from recto.declaration import clean_requirements, declare
from recto.engines.base import RENDER_STACK
from recto.interpreters import Base
from recto.progress import silent
from recto.resolver import Request, Resolution
from recto.resolver.compiling import Uv
from recto.resolver.uv import UvResolver

pytest_plugins = ("resolver_fixtures",)

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "requirements"

# Files of the corpus that can be resolved from wheels on Python 3.11 and that pip answers in well under a minute: a
# third of those that there are, as pip takes six seconds for each.
# fmt: off
IDS = (
    "003", "013", "024", "052", "070", "087", "108", "125", "130", "161",
)
# fmt: on

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the checkout"),
]


def test_ours_is_what_pip_would_install(
    curated: Base, real: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = layer_with_pip(tmp_path / "layer", curated)

    def both(entry: str) -> tuple[str, Resolution, PipAnswer | str]:
        directory = tmp_path / entry
        directory.mkdir()
        return entry, *_answers(entry, curated, python, directory, real.directory / "cache" / "uv")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(both, IDS))
    table = [
        (entry, one)
        for entry, ours, theirs in answers
        if isinstance(theirs, PipAnswer)
        for one in differences(ours, theirs, curated)
    ]
    with capsys.disabled():
        _print(answers, table)
    assert sum(isinstance(theirs, PipAnswer) for _, _, theirs in answers) >= 8
    assert [(entry, one) for entry, one in table if one.why is None] == []


def _answers(entry: str, base: Base, python: Path, directory: Path, cache: Path) -> tuple[Resolution, PipAnswer | str]:
    data = (CORPUS / f"{entry}.txt").read_bytes()
    declaration = replace(declare(lambda name: data if name == "requirements.txt" else None), as_of=DAY)
    pins = "".join(f"{name}=={base.identity.distributions[name]}\n" for name in RENDER_STACK)
    theirs = ask_pip(python, clean_requirements(declaration).text, pins, directory, base)
    resolver = UvResolver(Uv(Path(find_uv_bin()), cache, CountingSandbox(), NETWORK), RENDER_STACK)
    return resolver.resolve(Request(declaration, base), silent), theirs


def _print(answers: list[tuple[str, Resolution, PipAnswer | str]], table: list[tuple[str, Difference]]) -> None:
    """What was compared and every difference with its reason, for whoever runs this."""
    print(f"\n{len(answers)} declarations, {sum(len(ours.plan.install) for _, ours, _ in answers)} distributions")  # noqa: T201
    for entry, _, theirs in answers:
        if isinstance(theirs, str):
            print(f"  {entry}  pip: {theirs[:100]}")  # noqa: T201
    for entry, one in table:
        print(f"  {entry}  {one.name:24} ours {one.ours:12} pip {one.theirs:12} {one.why or 'UNEXPLAINED'}")  # noqa: T201
