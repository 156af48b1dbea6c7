"""What a ready environment costs: a handful of system calls, however many environments there are."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from house import OWN, House, asks

from recto.environments import Environments, Options
from recto.interpreters import Interpreters
from recto.policy import Policy

# A hit in a process of its own: an audit hook stays for good. Prints what it did, one event each.
_HIT = """
import json, sys
from pathlib import Path
from house import OWN, House, asks
from test_environments_hit import over
environments = over(House(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
wanted = asks("polars", "altair>=6")
environments.ensure(wanted, OWN).close()
events, watching = [], True
def watch(event, arguments):
    if watching:
        events.append([event, str(arguments[0]) if arguments else ""])
sys.addaudithook(watch)
environment = environments.ensure(wanted, OWN)
watching = False
print(json.dumps([events, environment.origin]))
environment.close()
"""


def over(house: House, python: Path, memory: Path) -> Environments:
    """The house's environments over a real interpreter."""
    interpreters = Interpreters(memory)
    options = Options(Policy(installing=True))
    return Environments(house.store, house.resolver, house.builder, lambda: interpreters.probe(python), options)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    venv.create(directory, with_pip=False, symlinks=True)
    return directory / "bin" / "python"


def _events(data: Path, python: Path, memory: Path) -> tuple[list[tuple[str, str]], str]:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", _HIT, data, python, memory],
        env={"PYTHONPATH": f"{here}:{here.parent}"},
        capture_output=True,
        text=True,
        check=True,
    )
    events, origin = json.loads(done.stdout)
    return [(event, argument) for event, argument in events], origin


@pytest.mark.parametrize("others", [0, 40])
def test_a_hit_opens_a_record_and_the_environment_and_does_nothing_else(
    tmp_path: Path, python: Path, others: int
) -> None:
    house = House(tmp_path / "data")
    environments = over(house, python, tmp_path / "memory")
    for number in range(others):
        house.resolver.available[f"other-{number}"] = "1.0"
        environments.ensure(asks(f"other-{number}"), OWN).close()
    environments.ensure(asks("polars", "altair>=6"), OWN).close()

    events, origin = _events(tmp_path / "data", python, tmp_path / "memory")

    assert origin == "cached"
    opened = [Path(argument).parent.name for event, argument in events if event == "open"]
    assert opened == ["specs", "envs"]
    # Neither a process nor a listing nor an import: `stat` and `flock` make no events that matter here.
    assert {event for event, _ in events} <= {"open", "fcntl.flock", "os.utime"}


def test_what_a_hit_reads_is_small(tmp_path: Path, python: Path) -> None:
    house = House(tmp_path / "data")
    over(house, python, tmp_path / "memory").ensure(asks("polars"), OWN).close()
    (record,) = (tmp_path / "data" / "v1" / "specs").iterdir()
    (answer,) = (tmp_path / "memory").iterdir()
    assert record.stat().st_size < 1000
    # Once a process; with its tags written out it would be ten times as long.
    assert answer.stat().st_size < 4000
