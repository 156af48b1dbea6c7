"""The units: systemd understands every line, and takes from each what it does not need."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deployed import UNITS, values

PROGRAM = "/opt/recto/bin/recto"
# `systemd-analyze security`, from 0 to 10; what renders has to make namespaces, mounts and groups.
EXPOSURE_MAX = {"recto-gateway.service": 1.5, "recto-prune.service": 1.0, "recto-render@.service": 4.0}
SERVICES = [path for path in UNITS if path.suffix == ".service"]
# Each covers a part of /proc or takes namespaces away; either keeps bubblewrap from making a world.
AGAINST_BUBBLEWRAP = (
    *("RestrictNamespaces", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectHostname", "ProtectProc"),
    *("ProcSubset", "ProtectControlGroups", "PrivateUsers", "RootDirectory", "MemoryDenyWriteExecute"),
)


@pytest.fixture(scope="module")
def analyze() -> str:
    """`systemd-analyze`, which `scripts/test` installs; without it these files are not checked, and that is said."""
    found = shutil.which("systemd-analyze")
    assert found, "systemd-analyze is needed to check deploy/systemd: install the package `systemd`"
    return found


def version(analyze: str) -> int:
    done = subprocess.run([analyze, "--version"], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[1])


def here(path: Path, directory: Path) -> Path:
    """A copy of a unit that starts the Recto that is tested, since systemd wants to see the program."""
    copy = directory / path.name
    text = path.read_text(encoding="utf-8")
    copy.write_text(text.replace(PROGRAM, str(Path(sys.executable).with_name("recto"))), encoding="utf-8")
    return copy


def verified(analyze: str, directory: Path) -> str:
    """What systemd says of all units of a directory."""
    names = sorted(str(path) for path in directory.iterdir())
    done = subprocess.run([analyze, "verify", "--man=no", *names], capture_output=True, text=True)
    return done.stderr


def test_systemd_understands_every_line(analyze: str, tmp_path: Path) -> None:
    for path in UNITS:
        here(path, tmp_path)
    said = [line for line in verified(analyze, tmp_path).splitlines() if str(tmp_path) in line or "recto-" in line]
    if version(analyze) < 254:
        # It came with 254; `docs/guides/limits.md` says so.
        said = [line for line in said if "DelegateSubgroup" not in line]
    assert said == []


def test_a_key_that_does_not_exist_would_be_told(analyze: str, tmp_path: Path) -> None:
    copy = here(next(path for path in UNITS if path.name == "recto-prune.service"), tmp_path)
    copy.write_text(copy.read_text() + "\n[Service]\nProtectSystems=strict\n")
    assert "ProtectSystems" in verified(analyze, tmp_path)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_is_exposed_no_more_than_it_has_to_be(path: Path, analyze: str, tmp_path: Path) -> None:
    copy = here(path, tmp_path)
    threshold = str(round(EXPOSURE_MAX[path.name] * 10))
    command = [analyze, "security", "--offline=true", f"--threshold={threshold}", "--json=short", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(done.stdout), done.stderr
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_service_is_a_plain_users_and_limited(path: Path) -> None:
    assert values(path, "User")[0] not in ("", "root")
    assert values(path, "NoNewPrivileges") == ["yes"]
    assert values(path, "CapabilityBoundingSet") == [""]
    assert values(path, "ProtectSystem") == ["strict"]
    assert all(values(path, limit) for limit in ("MemoryMax", "TasksMax"))


def test_the_gateway_shares_neither_user_nor_files_with_what_renders() -> None:
    users = {path.name: values(path, "User") for path in SERVICES}
    assert users["recto-gateway.service"] not in (users["recto-render@.service"], users["recto-prune.service"])
    assert users["recto-render@.service"] == users["recto-prune.service"]
    directories = {path.name: values(path, "StateDirectory") for path in SERVICES}
    assert directories["recto-gateway.service"] != directories["recto-render@.service"]


def test_what_renders_lets_bubblewrap_and_its_groups_work() -> None:
    (path,) = [path for path in SERVICES if path.name == "recto-render@.service"]
    assert "RECTO_SANDBOX=bubblewrap" in values(path, "Environment")
    assert values(path, "Delegate") == ["memory pids cpu"]
    assert values(path, "DelegateSubgroup") == ["main"]
    assert [key for key in AGAINST_BUBBLEWRAP if values(path, key)] == []


def test_what_renders_reaches_this_machine_only() -> None:
    (path,) = [path for path in SERVICES if path.name == "recto-render@.service"]
    assert values(path, "IPAddressDeny") == ["any"]
    assert values(path, "IPAddressAllow") == ["localhost"]
