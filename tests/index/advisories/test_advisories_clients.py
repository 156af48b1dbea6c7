"""Real clients ask about a project that has one vulnerable and one malicious package."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loopback_index import LoopbackIndex
from loopback_index import serving as indexing
from osv_records import advisories, record
from osv_service import serving

KNOWN = advisories(
    record(
        "PYSEC-1",
        name="Widget",
        events=[{"introduced": "0"}, {}, {"fixed": "2.0"}],
        aliases=["CVE-1"],
        summary="weak",
    ),
    record("MAL-2026-7", name="gadget", versions=["1.0"]),
    record("PYSEC-2", name="gadget", versions=["0.9"]),
)


def run(*arguments: object, cwd: Path) -> Any:
    """What the command prints as JSON. It exits with 1 where it found something, and with another on an error."""
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)


def test_uv_audit_finds_what_holds_for_the_locked_versions(uv: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "paper"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["widget", "gadget"]\n'
    )
    with indexing(LoopbackIndex()) as index:
        index.add("widget", "1.5")
        index.add("gadget", "1.0")
        lock = [uv, "lock", "--no-config", "--default-index", index.url, "--cache-dir", tmp_path / "cache"]
        subprocess.run([str(word) for word in lock], cwd=tmp_path, check=True, capture_output=True, timeout=300)
        with serving(KNOWN) as (address, asked):
            audit = (uv, "audit", "--frozen", "--preview-features", "audit,json-output", "--output-format", "json")
            index_too = ("--no-config", "--default-index", index.url, "--cache-dir", tmp_path / "cache")
            told = run(*audit, *index_too, "--service-url", address, cwd=tmp_path)
    found = {one["id"]: (one["dependency"]["name"], one["fix_versions"]) for one in told["vulnerabilities"]}
    assert found == {"PYSEC-1": ("widget", ["2.0"]), "MAL-2026-7": ("gadget", [])}
    assert sorted(asked) == ["/v1/querybatch", "/v1/vulns/MAL-2026-7", "/v1/vulns/PYSEC-1"]


@pytest.mark.network
def test_pip_audit_finds_what_holds_for_the_pinned_versions(uv: Path, uv_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("widget==1.5\ngadget==1.0\n")
    with serving(KNOWN) as (address, asked):
        told = run(
            *(uv, "tool", "run", "--cache-dir", uv_cache, "pip-audit==2.10.1", "--requirement", "requirements.txt"),
            *("--no-deps", "--disable-pip", "--vulnerability-service", "osv", "--osv-url", f"{address}/v1/query"),
            *("--format", "json", "--cache-dir", tmp_path / "cache", "--progress-spinner", "off"),
            cwd=tmp_path,
        )
    found = {
        one["id"]: (package["name"], one["fix_versions"], one["aliases"])
        for package in told["dependencies"]
        for one in package["vulns"]
    }
    assert found == {"PYSEC-1": ("widget", ["2.0"], ["CVE-1"]), "MAL-2026-7": ("gadget", [], [])}
    assert asked == ["/v1/query", "/v1/query"]
