"""When a kernel is started for the proof, and when what a start looks for says enough."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from building import Workshop, order_of
from fakes import CountingSandbox
from recto.builder import Built
from recto.builder.commands import Commands
from recto.builder.inventory import Inventory
from recto.builder.proof import watch
from recto.builder.starts import Start, Starts
from recto.builder.workbench import Workbench
from recto.interpreters import Base
from recto.problems import BuildError
from recto.sandbox.base import Command
from recto.sandbox.none import NoSandbox
from wheels import make_wheel

pytest_plugins = ("builder_fixtures",)
pytestmark = pytest.mark.network

STARTED = "a kernel was started in it"
CARRIED = "its interpreter was started, and it has nothing that starting a kernel looks for"


@pytest.fixture(scope="session")
def start(kernel_base: Base, workbench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """A watched start over the kernel base, kept where the workbench looks for it."""
    commands = Commands(NoSandbox(), kernel_base, tmp_path_factory.mktemp("watch"), 120.0)
    start = watch(commands)
    workbench.kept_starts.keep(kernel_base, start)
    return start


@pytest.fixture
def build(workshop: Workshop, kernel_base: Base, tmp_path: Path, start: Start) -> Build:
    return Build(workshop, kernel_base, tmp_path / "made")


class Build:
    """Builds an environment with one wheel of these files."""

    def __init__(self, workshop: Workshop, base: Base, wheels: Path) -> None:
        self._workshop = workshop
        self._base = base
        self._wheels = wheels

    def __call__(self, files: Mapping[str, str], name: str = "spam") -> Built:
        return self._workshop.build(order_of(self._base, make_wheel(self._wheels, name, "1.0", files)))


def test_a_start_looks_for_more_than_it_finds(start: Start) -> None:
    assert {"ipykernel", "zmq", "nbclient", "yaml"} <= start.modules
    # Optional ones: no distribution of the base has them, and one over it would be imported.
    assert "orjson" in start.modules
    assert "jupyter_client.kernel_provisioners" in start.groups


def test_packages_that_no_start_looks_for_need_no_kernel(build: Build) -> None:
    built = build({"spam/__init__.py": "EGGS = 3\n"})
    assert built.proof == CARRIED
    assert "start_kernel" not in built.log
    assert '"prefix"' in built.log


@pytest.mark.parametrize(
    ("files", "why"),
    [
        # Optional: jsonschema takes it for host names where it is there.
        ({"fqdn/__init__.py": ""}, "has the module fqdn"),
        ({"spam.pth": "import sys\n"}, "installs spam.pth"),
        ({"sitecustomize.py": ""}, "installs sitecustomize.py"),
        (
            {"spam-1.0.data/data/share/jupyter/kernels/r/kernel.json": "{}"},
            "share/jupyter/kernels/r/kernel.json",
        ),
        ({"spam-1.0.data/data/etc/ipython/ipython_config.py": ""}, "etc/ipython/ipython_config.py"),
        (
            {"spam-1.0.dist-info/entry_points.txt": "[jupyter_client.kernel_provisioners]\nmine = spam:Mine\n"},
            "has entry points of jupyter_client.kernel_provisioners",
        ),
    ],
)
def test_a_kernel_is_started_where_one_would_come_across_something(
    files: Mapping[str, str], why: str, build: Build
) -> None:
    built = build({"spam/__init__.py": "", **files})
    assert built.proof == STARTED
    assert why in built.log


def test_scripts_and_other_entry_points_need_no_kernel(build: Build) -> None:
    points = "[console_scripts]\nspam = spam:main\n\n[babel.extractors]\nspam = spam:extract\n"
    assert build({"spam/__init__.py": "", "spam-1.0.dist-info/entry_points.txt": points}).proof == CARRIED


def test_a_module_in_the_way_of_the_kernel_fails_the_proof(build: Build) -> None:
    with pytest.raises(BuildError) as raised:
        build({"orjson/__init__.py": "raise SystemExit('not today')\n"}, name="orjson")
    assert raised.value.problems[0].code == "proof-kernel"


@pytest.mark.parametrize(
    "said", ["[1]", "{}", '{"prefix": 5}', r'{"prefix": "\\u0000"}', r'{"prefix": "\\ud800"}', "[" * 9000, r"\xff"]
)
def test_whatever_a_package_says_in_the_place_of_the_kernel_is_no_proof(build: Build, said: str) -> None:
    with pytest.raises(BuildError) as raised:
        build({"spam.pth": f"import os; os.write(1, b'{said}'); os._exit(0)\n"})
    assert [found.code for found in raised.value.problems] == ["proof-kernel"]


def test_the_first_build_over_a_base_watches_a_start_in_it(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    sandbox = CountingSandbox()
    fresh = Workshop(replace(workshop.workbench, starts=tmp_path / "starts", sandbox=sandbox), workshop.root)
    order = order_of(kernel_base, make_wheel(tmp_path, "spam", "1.0", {"spam/__init__.py": ""}))
    assert fresh.build(order).proof == CARRIED
    assert [command.argv[0] for command in sandbox.commands if _watches(command)] == [str(kernel_base.python)]
    assert fresh.build(order).proof == CARRIED
    assert len([command for command in sandbox.commands if _watches(command)]) == 1


def test_where_no_start_can_be_watched_a_kernel_is_started(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    sandbox = CountingSandbox(refused=_watches)
    blind = Workshop(replace(workshop.workbench, starts=tmp_path / "starts", sandbox=sandbox), workshop.root)
    order = order_of(kernel_base, make_wheel(tmp_path, "spam", "1.0", {"spam/__init__.py": ""}))
    built = blind.build(order)
    assert built.proof == STARTED
    assert "No start of a kernel could be watched over the base: " in built.log
    assert blind.build(order).proof == STARTED


def _watches(command: Command) -> bool:
    return command.argv[-1] == "watch"


def test_a_start_answers_for_its_base_alone(tmp_path: Path, kernel_base: Base, start: Start) -> None:
    starts = Starts(tmp_path)
    starts.keep(kernel_base, start)
    assert starts.known(kernel_base) == start
    identity = kernel_base.identity
    newer = {**identity.distributions, "ipykernel": "99.0"}
    assert starts.known(replace(kernel_base, identity=replace(identity, distributions=newer))) is None
    assert starts.known(replace(kernel_base, identity=replace(identity, version="3.99.0"))) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"modules": [], "distributions": [], "groups": []}'])
def test_a_start_that_cannot_be_read_is_none(text: str, tmp_path: Path, kernel_base: Base, start: Start) -> None:
    starts = Starts(tmp_path)
    starts.keep(kernel_base, start)
    (file,) = tmp_path.glob("*.json")
    file.write_text(text)
    assert starts.known(kernel_base) is None


def test_a_start_that_looks_at_all_entry_points_comes_across_each_of_them() -> None:
    inventory = Inventory("spam", {}, ("spam",), ("spam",), groups=("babel.extractors",))
    everything = Start(frozenset({"ipykernel"}), frozenset(), frozenset({"*"}))
    assert everything.touched({"spam": inventory}) == ("spam has entry points of babel.extractors",)
    assert json.dumps(sorted(everything.groups)) == '["*"]'


def test_a_distribution_that_is_looked_up_by_name_is_come_across() -> None:
    start = Start.of({"modules": ["json"], "distributions": ["Spam_Eggs"], "groups": []})
    assert start.touched({"spam-eggs": Inventory("spam-eggs", {}, (), ())}) == ("spam-eggs is looked for",)
