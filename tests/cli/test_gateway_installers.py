"""Each rule of the gateway, as a real uv and a real pip meet it: on the page, by version, and by a file's address."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commandline import Recto
from conftest import made_once
from gateway_process import Gateway, Installer, gateway, pip_installer, uv_installer
from gateways import client
from loopback_index import LoopbackIndex, serving
from osv_records import keep, record
from recto.index.audit import entries
from wheels import make_wheel

BACKEND = """\
import os, zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    info = "source-2.0.dist-info/"
    with zipfile.ZipFile(os.path.join(directory, "source-2.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: source\\nVersion: 2.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "source-2.0-py3-none-any.whl"
"""


@dataclass(frozen=True)
class Case:
    """A tenant with one rule, and a project whose version 2.0 that rule hides; what is `left` is then installed."""

    rule: str
    chosen: str
    project: str
    left: str = "1.0"
    version: str = ""

    @property
    def tenant(self) -> str:
        return f"{self.rule}-{self.project}"

    @property
    def filename(self) -> str:
        return f"{self.project}-2.0.tar.gz" if self.rule == "wheels-only" else f"{self.project}-2.0-py3-none-any.whl"


CASES = (
    Case("allow", 'allow = ["plain<2"]', "plain"),
    Case("allow", 'allow = ["another"]', "other", left=""),
    Case("deny", 'deny = ["Plain>=2"]', "plain"),
    Case("deny", 'deny = ["other"]', "other", left=""),
    Case("wheels-only", "wheels-only = true", "source"),
    Case("age", "minimum-age-days = 7", "young"),
    Case("as-of", "as-of = 2026-01-31", "late"),
    Case("file-size", "file-bytes-max = 10_000", "large"),
    Case("project-size", "project-bytes-max = 10_000", "large", left=""),
    # Installers pass over what was yanked, unless it is asked for.
    Case("yanked", 'yanked = "hide"', "yanked", left="", version="==2.0"),
    Case("project-status", 'archived = "hide"', "attic", left=""),
    Case("malicious", 'malicious = "block"', "evil"),
    Case("vulnerable", 'vulnerable = {block = "high"}', "holey"),
)
# Without a choice of the operator.
QUARANTINE = Case("project-status", "", "ill", left="")
# A tenant whose one rule is about another project than those that it is asked for.
OPEN = "deny-other"

RULES = """\
[rules]
wheels-only = false
malicious = false
archived = "keep"
"""


@dataclass(frozen=True)
class Served:
    """A gateway over an index that has a project for each rule, with a tenant for each."""

    gateway: Gateway
    index: LoopbackIndex
    data: Path

    def simple(self, tenant: str) -> str:
        return f"{self.gateway.address}/tenants/{tenant}/simple/"

    def file(self, tenant: str, project: str, filename: str) -> str:
        described = next(file for file in self.index.projects[project] if file["filename"] == filename)
        hashes = described["hashes"]
        assert isinstance(hashes, dict)
        return f"{self.gateway.address}/tenants/{tenant}/files/{project}/{hashes['sha256']}/{filename}"

    def audited(self, tenant: str) -> list[tuple[str, str, str]]:
        found = entries(self.data / "v1" / "audit")
        return [(entry.verdict, entry.file, entry.rule) for entry in found if entry.tenant == tenant]


def filled(index: LoopbackIndex, directory: Path) -> LoopbackIndex:
    for project in ("plain", "other", "source", "young", "late", "large", "yanked", "attic", "evil", "holey", "ill"):
        index.add(project, "1.0")
    for project in ("plain", "other", "yanked", "attic", "evil", "holey", "ill"):
        index.add(project, "2.0")
    index.add_buildable("source", "2.0", BACKEND)
    index.add("young", "2.0", uploaded=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    index.add("late", "2.0", uploaded="2026-02-01T00:00:00Z")
    index.add_wheel(make_wheel(directory, "large", "2.0", {"large.py": f"# {secrets.token_hex(20_000)}\n"}))
    index.projects["yanked"][-1]["yanked"] = "broken"
    index.statuses |= {"attic": "archived", "ill": "quarantined"}
    return index


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, network_environment: Mapping[str, str]) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("gateway")
    tenants = "".join(f"[tenants.{case.tenant}.rules]\n{case.chosen}\n" for case in (*CASES, QUARANTINE))
    (directory / "rules.toml").write_text(RULES + tenants)
    keep(
        directory / "advisories",
        record("MAL-2026-1", "evil", versions=["2.0"]),
        record("PYSEC-2026-1", "holey", versions=["2.0"]),
    )
    with serving(filled(LoopbackIndex(), directory)) as index:
        variables = {
            **network_environment,
            "HOME": str(directory),
            "RECTO_DATA_DIR": str(directory / "data"),
            "RECTO_GATEWAY_INDEXES": index.url,
            "RECTO_GATEWAY_RULES": str(directory / "rules.toml"),
            "RECTO_GATEWAY_ADVISORIES": str(directory / "advisories"),
        }
        with gateway(Recto(variables, directory)) as running:
            yield Served(running, index, directory / "data")


@pytest.fixture(scope="module")
def pip_python(shared: Path) -> Path:
    """An interpreter that has pip and nothing else."""

    def make(directory: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)

    return made_once(shared / "pip-venv", make) / "bin" / "python"


@pytest.fixture(scope="module", params=["uv", "pip"])
def installer(
    request: pytest.FixtureRequest,
    uv: Path,
    network_environment: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Installer:
    environment = {**network_environment, "HOME": str(tmp_path_factory.mktemp("home"))}
    if request.param == "uv":
        return uv_installer(uv, environment)
    return pip_installer(request.getfixturevalue("pip_python"), environment)


@pytest.mark.parametrize("case", [*CASES, QUARANTINE], ids=lambda case: case.tenant)
def test_what_a_rule_hides_is_not_installed_by_its_name_nor_by_its_address(
    served: Served, installer: Installer, case: Case, tmp_path: Path
) -> None:
    hidden = served.file(case.tenant, case.project, case.filename)

    chosen, said = installer(served.simple(case.tenant), tmp_path / "chosen", case.project + case.version)
    assert chosen == ([f"{case.project}-{case.left}"] if case.left else []), said
    forced, said = installer(served.simple(case.tenant), tmp_path / "forced", f"{case.project} @ {hidden}")

    assert forced == []
    assert "404" in said
    assert served.audited(case.tenant)[-1] == ("hidden", case.filename, case.rule)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.tenant in ("deny-plain", "wheels-only-source", "yanked-yanked")],
    ids=lambda case: case.tenant,
)
def test_without_the_rule_the_same_is_installed_in_both_ways(
    served: Served, installer: Installer, case: Case, tmp_path: Path
) -> None:
    url = served.file(OPEN, case.project, case.filename)

    pinned, _ = installer(served.simple(OPEN), tmp_path / "pinned", f"{case.project}==2.0")
    forced, _ = installer(served.simple(OPEN), tmp_path / "forced", f"{case.project} @ {url}")

    assert pinned == forced == [f"{case.project}-2.0"]


@pytest.mark.parametrize("case", [case for case in CASES if case.project != "other"], ids=lambda case: case.tenant)
def test_the_address_that_is_tried_is_the_files_own_for_everybody_else(served: Served, case: Case) -> None:
    with client(served.gateway.address) as asking:
        assert asking.get(served.file(OPEN, case.project, case.filename)).status_code == 200
        assert asking.get(served.file(case.tenant, case.project, case.filename)).status_code == 404
        told = asking.get(f"/tenants/{case.tenant}/why/{case.project}/").json()["files"]

    (found,) = next(file["findings"] for file in told if file["filename"] == case.filename)
    assert (found["rule"], found["blocks"]) == (case.rule, True)
