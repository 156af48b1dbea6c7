"""What goes wrong in a build ends in problems, with the text behind them."""

from __future__ import annotations

import json
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.pylock import Pylock

from building import Workshop, lock_of, order_of
from recto.builder import Order
from recto.builder.commands import Commands
from recto.builder.uv_builder import FAILPOINTS, UvBuilder
from recto.builder.workbench import Workbench
from recto.interpreters import Base, probe
from recto.problems import BaseError, BuildError, Cancelled, RectoError
from recto.progress import silent
from recto.sandbox.none import NoSandbox
from wheels import make_wheel

pytest_plugins = ("builder_fixtures",)
pytestmark = pytest.mark.network


def _failure(workshop: Workshop, order: Order) -> BuildError:
    with pytest.raises(BuildError) as raised:
        workshop.build(order)
    return raised.value


def _code(error: RectoError) -> str:
    return error.problems[0].code


@pytest.mark.makes("hash-mismatch")
def test_a_file_with_another_hash_is_not_installed(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    error = _failure(workshop, Order(lock_of(spam, sha256="0" * 64), ("spam",), kernel_base))
    assert _code(error) == "hash-mismatch"
    assert error.problems[0].package == "spam"
    assert "Hash mismatch" in error.raw


@pytest.mark.makes("install-failed")
def test_a_file_that_is_gone_is_a_problem(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    order = order_of(kernel_base, spam)
    spam.unlink()
    error = _failure(workshop, order)
    assert "spam" in error.raw
    assert (_code(error), error.problems[0].package) == ("install-failed", None)


def test_a_source_distribution_is_not_built(workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    (tmp_path / "eggs").mkdir()
    (tmp_path / "eggs" / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    packages = [{"name": "eggs", "version": "1", "directory": {"path": str(tmp_path / "eggs")}}]
    lock = Pylock.from_dict({"lock-version": "1.0", "created-by": "tests", "packages": packages})
    _failure(workshop, Order(lock, ("eggs",), kernel_base))
    assert not (tmp_path / "ran").exists()


def test_a_wheel_for_another_platform_is_refused(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    other = spam.rename(spam.with_name("spam-1.0-cp311-cp311-win_amd64.whl"))
    error = _failure(workshop, order_of(kernel_base, other))
    assert (_code(error), error.problems[0].package) == ("no-wheel", "spam")


def test_half_a_wheel_is_named(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    data = spam.read_bytes()
    spam.write_bytes(data[: len(data) // 2])
    error = _failure(workshop, order_of(kernel_base, spam))
    assert (_code(error), error.problems[0].package) == ("download-corrupt", "spam")


def test_a_base_without_a_kernel_is_refused_before_anything_is_made(workshop: Workshop, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    base = probe(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(BaseError) as raised:
        workshop.build(order_of(base))
    assert _code(raised.value) == "base-lacks-kernel"
    assert "ipykernel" in raised.value.problems[0].message
    assert list(workshop.root.iterdir()) == []


@pytest.mark.makes("cap-build-time")
def test_a_build_that_takes_too_long_is_stopped(workshop: Workshop, kernel_base: Base, spam: Path) -> None:
    error = _failure(workshop, replace(order_of(kernel_base, spam), seconds_max=0.001))
    assert _code(error) == "cap-build-time"


def test_all_commands_of_a_build_share_its_time(kernel_base: Base, tmp_path: Path) -> None:
    times = iter([0.0, 1.0, 99.9, 100.0])
    commands = Commands(NoSandbox(), kernel_base, tmp_path, 100.0, clock=lambda: next(times))
    assert commands.run(("/bin/true",), {}).succeeded
    with pytest.raises(BuildError, match="stopped after 100 s"):
        commands.run(("/bin/sleep", "1000"), {})
    with pytest.raises(BuildError, match="stopped after 100 s"):
        commands.run(("/bin/true",), {})
    assert commands.log.count("$ ") == 2


@pytest.mark.makes("cap-installed")
def test_an_environment_over_the_byte_cap_is_refused_with_both_sizes(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    big = make_wheel(tmp_path, "big", "1.0", {"big/data.bin": "x" * 3_000_000})
    error = _failure(workshop, replace(order_of(kernel_base, big), installed_bytes_max=1_000_000))
    assert _code(error) == "cap-installed"
    assert "3 MB" in error.problems[0].message
    assert "1 MB" in error.problems[0].message


@pytest.mark.parametrize("after", FAILPOINTS[:-1])
def test_a_cancelled_build_stops_at_its_next_command(
    after: str,
    kernel_base: Base,
    spam: Path,
    tmp_path: Path,
    workbench: Workbench,
) -> None:
    steps: list[str] = []
    builder = UvBuilder(workbench, failpoint=steps.append)
    with pytest.raises(Cancelled):
        builder.build(order_of(kernel_base, spam), tmp_path / "env", silent, lambda: after in steps)
    assert "proven" not in steps
    assert steps[: steps.index(after) + 1] == list(FAILPOINTS[: FAILPOINTS.index(after) + 1])


@pytest.mark.makes("proof-kernel")
def test_a_package_that_breaks_the_kernel_fails_the_proof(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    broken = make_wheel(tmp_path, "tornado", "99.0", {"tornado/__init__.py": "raise ImportError('no tornado today')\n"})
    error = _failure(workshop, order_of(kernel_base, broken))
    assert _code(error) == "proof-kernel"
    assert "no tornado today" in error.problems[0].message
    assert "Traceback" in error.raw


def test_a_package_that_prints_at_every_start_fails_the_proof(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    noise = make_wheel(tmp_path, "noise", "1.0", {"noise.pth": "import sys; sys.stdout.write('hello\\n')\n"})
    error = _failure(workshop, order_of(kernel_base, noise))
    assert _code(error) == "proof-kernel"
    assert "prints text" in error.problems[0].message


def test_a_package_that_leads_to_another_kernel_fails_the_proof(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    spec = tmp_path / "theirs" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(kernel_base.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Theirs", "language": "python"}))
    line = f"import os; os.environ['JUPYTER_PATH'] = {str(tmp_path / 'theirs')!r}\n"
    error = _failure(workshop, order_of(kernel_base, make_wheel(tmp_path, "lead", "1.0", {"lead.pth": line})))
    assert _code(error) == "proof-kernel"
    assert "instead of the environment" in error.problems[0].message


def test_credentials_are_in_no_log(
    kernel_base: Base, tmp_path: Path, workbench: Workbench, network_environment: Mapping[str, str]
) -> None:
    wheel = {"url": "http://someone:hunter2@127.0.0.1:9/spam-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    packages = [{"name": "spam", "version": "1.0", "wheels": [wheel]}]
    lock = Pylock.from_dict({"lock-version": "1.0", "created-by": "tests", "packages": packages})
    seen = {**network_environment, "UV_HTTP_RETRIES": "0"}
    index = "http://other:hunter3@127.0.0.1:9/simple"
    builder = UvBuilder(replace(workbench, environment=seen, index_url=index))
    with pytest.raises(BuildError) as raised:
        builder.build(Order(lock, ("spam",), kernel_base), tmp_path / "env", silent)
    assert "127.0.0.1:9" in raised.value.raw
    assert "hunter" not in raised.value.raw + str(raised.value.problems)
