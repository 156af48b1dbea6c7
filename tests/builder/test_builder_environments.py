"""Environments, built for real over real bases."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.pylock import Pylock

from building import Workshop, lock_of, order_of
from recto.builder import Order
from recto.builder.commands import Commands
from recto.builder.proof import prove
from recto.builder.uv_builder import FAILPOINTS, UvBuilder
from recto.builder.workbench import Workbench
from recto.interpreters import Base, probe
from recto.progress import Event, silent
from recto.sandbox.none import NoSandbox
from wheels import make_wheel

pytest_plugins = ("builder_fixtures",)
pytestmark = pytest.mark.network


@pytest.fixture(scope="session")
def system_base(kernel_base: Base, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """An interpreter that is no virtual environment and holds what runs cells: our own, its files linked."""
    root = tmp_path_factory.mktemp("system")
    real = Path(os.path.realpath(sys.executable))
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    (root / "bin").mkdir()
    shutil.copy(real, root / "bin" / real.name)
    (root / "bin" / "python").symlink_to(real.name)
    (root / library).mkdir(parents=True)
    for entry in Path(sys.base_prefix, library).iterdir():
        if entry.name != "site-packages":
            (root / library / entry.name).symlink_to(entry)
    shutil.copytree(kernel_base.site_packages[0], root / library / "site-packages", copy_function=os.link)
    return probe(root / "bin" / "python")


@pytest.mark.slow
def test_packages_of_the_index_are_installed_over_the_base(
    workshop: Workshop, kernel_base: Base, networkx_lock: Pylock, tmp_path: Path
) -> None:
    workshop.workbench = replace(
        workshop.workbench, cache=tmp_path / "cache", bytecode=tmp_path / "bytecode", starts=tmp_path / "starts"
    )
    built = workshop.build(Order(networkx_lock, ("humanize", "networkx"), kernel_base))
    assert built.modules["networkx"] == ("networkx",)
    assert set(built.modules) == {"humanize", "networkx"}
    assert workshop.python("import networkx, humanize, IPython; print(networkx.__file__)").startswith(
        str(workshop.directory)
    )
    assert "No module named" in workshop.run("python", "-c", "import tabulate", code=1)
    stages = [event.event for event in workshop.events]
    assert stages == sorted(stages, key=["downloading", "installing", "proving"].index)
    assert workshop.events[0].unit == "bytes"
    assert workshop.events[0].total > 100_000
    assert workshop.events[-2:] == [
        Event("installing", done=2, total=2, unit="packages"),
        Event("proving", "starting its interpreter"),
    ]
    assert "Installed 2 packages" in built.log


@pytest.mark.parametrize("kind", ["virtual environment", "system interpreter"])
def test_the_environment_comes_first_and_the_base_behind_it(
    kind: str, workshop: Workshop, kernel_base: Base, system_base: Base, spam: Path, tmp_path: Path
) -> None:
    base = kernel_base if kind == "virtual environment" else system_base
    assert base.is_venv == (kind == "virtual environment")
    attrs = make_wheel(tmp_path / "wheels", "attrs", "99.0", {"attr/__init__.py": "", "attrs/__init__.py": ""})
    workshop.build(Order(lock_of(spam, attrs), ("spam",), base))
    assert workshop.python("import sys; print(sys.prefix)") == str(workshop.directory)
    assert workshop.python("import spam; print(spam.EGGS)") == "3"
    assert Path(workshop.python("import attrs; print(attrs.__file__)")).is_relative_to(base.site_packages[0])
    first, *rest = workshop.python(
        "import sys; print(*[p for p in sys.path if 'site-packages' in p], sep='\\n')"
    ).split()
    assert Path(first).is_relative_to(workshop.directory)
    assert [Path(path) for path in rest] == list(base.site_packages)


def test_a_package_of_the_environment_shadows_that_of_the_base(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path, "pexpect", "99.0", {"pexpect/__init__.py": "NEW = True\n"})
    workshop.build(order_of(kernel_base, wheel))
    assert workshop.python("import pexpect; print(pexpect.NEW)") == "True"
    code = "import importlib.metadata as m; print(m.version('pexpect'))"
    assert workshop.python(code) == "99.0"


def test_the_users_own_packages_stay_out(workshop: Workshop, system_base: Base, spam: Path) -> None:
    workshop.build(order_of(system_base, spam))
    assert workshop.python("import site; print(site.ENABLE_USER_SITE)") == "False"


def test_an_environment_still_runs_its_kernel_after_it_was_renamed(
    workshop: Workshop, kernel_base: Base, spam: Path, tmp_path: Path
) -> None:
    workshop.build(order_of(kernel_base, spam))
    moved = tmp_path / "published"
    workshop.directory.rename(moved)
    (tmp_path / "scratch").mkdir()
    prove(Commands(NoSandbox(), kernel_base, tmp_path / "scratch", 120.0), moved)
    assert probe(moved / "bin" / "python").prefix == moved


def test_the_kernelspec_names_no_interpreter(workshop: Workshop, kernel_base: Base) -> None:
    workshop.build(order_of(kernel_base))
    (path,) = workshop.directory.rglob("kernel.json")
    assert path == workshop.directory / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    assert json.loads(path.read_text())["argv"][0] == "python"


def test_the_kernelspec_is_never_written_through_a_link_into_the_cache(
    workshop: Workshop, kernel_base: Base, uv_cache: Path, tmp_path: Path
) -> None:
    theirs = '{"argv": ["/bin/false"]}'
    data = "ownkernel-1.0.data/data/share/jupyter/kernels/python3/kernel.json"
    workshop.build(order_of(kernel_base, make_wheel(tmp_path, "ownkernel", "1.0", {data: theirs})))
    cached = [path.read_text() for path in uv_cache.rglob("ownkernel-1.0.data/**/kernel.json")]
    assert cached == [theirs]


def test_building_starts_the_environments_own_interpreter_for_the_proof_alone(
    kernel_base: Base, tmp_path: Path, workbench: Workbench
) -> None:
    marker = tmp_path / "started"
    wheel = make_wheel(tmp_path, "evil", "1.0", {"evil.pth": f"import os; open({str(marker)!r}, 'a').write('x')\n"})
    seen: dict[str, bool] = {}

    def note(step: str) -> None:
        seen[step] = marker.exists()

    UvBuilder(workbench, failpoint=note).build(order_of(kernel_base, wheel), tmp_path / "env", silent)
    assert tuple(seen) == FAILPOINTS
    assert seen == {step: step == "proven" for step in FAILPOINTS}


def test_the_bytes_installed_are_counted_once_a_file(workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    big = make_wheel(tmp_path, "big", "1.0", {"big/__init__.py": "", "big/data.bin": "x" * 3_000_000})
    built = workshop.build(order_of(kernel_base, big))
    assert 3_000_000 < built.installed_bytes < 3_200_000


def test_nothing_is_left_beside_the_environment(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    workshop.build(order_of(kernel_base, spam))
    assert list(workshop.root.iterdir()) == [workshop.directory]


def test_the_curated_base_carries_its_stack_into_the_environment(
    workshop: Workshop, curated_base: Base, spam: Path
) -> None:
    workshop.build(order_of(curated_base, spam))
    code = "import numpy, spam; print(numpy.__file__)"
    assert Path(workshop.python(code)).is_relative_to(curated_base.prefix)
