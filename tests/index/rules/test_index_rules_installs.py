"""Each rule against a real uv and a real pip, and against whoever has a hidden file's own address."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateways import client, options, running
from index_above import Above, above
from osv_records import keep, record
from recto.index.rules.configuration import read_choices
from recto.index.rules.current import CurrentRules
from wheels import make_wheel

KNOWN = (
    record("MAL-2026-1", name="Widget", versions=["2.0"]),
    record("PYSEC-1", name="gadget", events=[{"introduced": "2.0"}], database_specific={"severity": "HIGH"}),
)
OLD, NEW = "widget-1.0-py3-none-any.whl", "widget-2.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Above]:
    """Two versions of two projects, all of them good and old enough."""
    with above() as one:
        for name in ("widget", "gadget"):
            for version in ("1.0", "2.0"):
                wheel = make_wheel(tmp_path / "wheels", name, version, {f"{name}.py": ""})
                one.add(name, wheel.name, wheel.read_bytes())
            one.pages[name]["versions"] = ["1.0", "2.0"]
        yield one


def rules_of(line: str, folder: Path) -> CurrentRules:
    """The rules of one line and, of the defaults, only that of quarantine; the advisories are put into the folder."""
    keep(folder, *KNOWN)
    off = [f"{key} = false\n" for key in ("malicious", "wheels-only") if not line.startswith(key)]
    text = f"[rules]\n{''.join(off)}{line}"
    return CurrentRules(read_choices(text.encode(), "rules.toml", with_advisories=True), folder)


def by_uv(uv: Path, address: str, what: str, into: Path) -> bool:
    """Whether uv installs it."""
    target = ("--target", into, "--python", sys.executable, "--cache-dir", into.with_suffix(".cache"))
    return _works(uv, "pip", "install", "--no-config", *target, "--default-index", f"{address}/simple/", what)


def by_pip(uv: Path, address: str, what: str, into: Path) -> bool:
    """Whether pip installs it."""
    pip = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir")
    return _works(*pip, "install", "--retries", "0", "--target", into, "--index-url", f"{address}/simple/", what)


def _works(*command: object) -> bool:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, timeout=300, check=False).returncode == 0


def installed(into: Path) -> list[str]:
    return sorted(path.name.removesuffix(".dist-info") for path in into.glob("*.dist-info"))


def described(filename: str, **more: object) -> Callable[[Above], None]:
    """Makes the index say something else of a file."""

    def change(index: Above) -> None:
        (entry,) = [one for one in index.pages[filename.partition("-")[0]]["files"] if one["filename"] == filename]
        for key, value in more.items():
            entry[key.replace("_", "-")] = value

    return change


def unchanged(index: Above) -> None:
    """The index as it is."""


def status(word: str) -> Callable[[Above], None]:
    return lambda index: index.pages["widget"].update({"project-status": {"status": word}})


NOW = datetime.now(UTC)
YOUNG = (NOW - timedelta(days=2)).isoformat()
# Of each: the rule, what the index says, and what is left of `widget` where something is.
CASES: dict[str, tuple[str, Callable[[Above], None], str | None]] = {
    "allow": ('allow = ["gadget"]', unchanged, None),
    "allow-range": ('allow = ["gadget", "Widget<2"]', unchanged, "widget-1.0"),
    "deny": ('deny = ["WIDGET"]', unchanged, None),
    "deny-range": ('deny = ["widget>=2"]', unchanged, "widget-1.0"),
    "minimum-age": ("minimum-age-days = 7", described(NEW, upload_time=YOUNG), "widget-1.0"),
    "minimum-age-untold": ("minimum-age-days = 7", described(NEW, upload_time=None), "widget-1.0"),
    "as-of": ("as-of = 2026-01-31", described(NEW, upload_time="2026-02-01T00:00:00Z"), "widget-1.0"),
    "as-of-untold": ("as-of = 2026-01-31", described(NEW, upload_time=None), "widget-1.0"),
    "yanked": ('yanked = "hide"', described(NEW, yanked="broken"), "widget-1.0"),
    "file-bytes": ("file-bytes-max = 5000", described(NEW, size=5001), "widget-1.0"),
    "file-bytes-untold": ("file-bytes-max = 5000", described(NEW, size=None), "widget-1.0"),
    "project-bytes": ("project-bytes-max = 5000", described(NEW, size=5001), None),
    "quarantined": ('yanked = "keep"', status("quarantined"), None),
    "archived": ('archived = "hide"', status("archived"), None),
    "malicious": ('malicious = "block"', unchanged, "widget-1.0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("install", [by_uv, by_pip])
@pytest.mark.parametrize("case", CASES)
def test_what_a_rule_hides_cannot_be_installed(
    index: Above, uv: Path, tmp_path: Path, case: str, install: Callable[..., bool]
) -> None:
    line, change, left = CASES[case]
    change(index)
    with running(options(tmp_path / "kept", index.url), rules_of(line, tmp_path / "osv")) as address:
        assert not install(uv, address, "widget==2.0", tmp_path / "exact")
        assert install(uv, address, "widget", tmp_path / "any") == (left is not None)
        assert install(uv, address, "gadget==1.0", tmp_path / "other")
    assert installed(tmp_path / "any") == ([left] if left else [])
    assert index.count(f"/files/{NEW}") == 0


@pytest.mark.parametrize("case", CASES)
def test_what_a_rule_hides_has_no_address(index: Above, tmp_path: Path, case: str) -> None:
    line, change, left = CASES[case]
    digests = {one["filename"]: one["hashes"]["sha256"] for one in index.pages["widget"]["files"]}
    kept = options(tmp_path / "kept", index.url)
    with running(kept) as address, client(address) as asking:
        # What another tenant, or the same one under other rules, has fetched is on the gateway's disk.
        assert all(asking.get(f"/files/widget/{digests[name]}/{name}").status_code == 200 for name in (OLD, NEW))
    change(index)
    kept = options(tmp_path / "kept", index.url, page_seconds=0.0)
    with running(kept, rules_of(line, tmp_path / "osv")) as address, client(address) as asking:
        assert {asking.get(path).status_code for path in spellings(digests[NEW], NEW)} == {404}
        assert {asking.head(path).status_code for path in spellings(digests[NEW], NEW)} == {404}
        old = asking.get(f"/files/widget/{digests[OLD]}/{OLD}")
        page = asking.get("/simple/widget/")
    assert (old.status_code, page.status_code) == ((200, 200) if left else (404, 404))
    if left:
        told: dict[str, Any] = page.json()
        assert ([one["filename"] for one in told["files"]], told["versions"]) == ([OLD], ["1.0"])


def spellings(digest: str, filename: str) -> list[str]:
    """Ways to the file, and to its metadata, which do without the page."""
    files = [f"/files/{name}/{digest}/{filename}" for name in ("widget", "Widget", "WIDGET", "gadget", "wid%67et")]
    return [*files, *(f"{path}.metadata" for path in files)]


def test_a_warning_hides_nothing(index: Above, tmp_path: Path) -> None:
    status("archived")(index)
    for line in ('malicious = "warn"', 'vulnerable = {warn = "low"}', 'archived = "warn"'):
        with (
            running(options(tmp_path / line[:3], index.url), rules_of(line, tmp_path / "osv")) as address,
            client(address) as asking,
        ):
            for name in ("widget", "gadget"):
                assert len(asking.get(f"/simple/{name}/").json()["files"]) == 2


def test_vulnerabilities_hide_from_their_level_on(index: Above, tmp_path: Path) -> None:
    for level, left in (("high", ["1.0"]), ("critical", ["1.0", "2.0"])):
        rules = rules_of(f'vulnerable = {{block = "{level}"}}', tmp_path / "osv")
        with running(options(tmp_path / level, index.url), rules) as address, client(address) as asking:
            assert asking.get("/simple/gadget/").json()["versions"] == left


@pytest.mark.slow
@pytest.mark.parametrize("install", [by_uv, by_pip])
def test_only_wheels_are_installed(index: Above, uv: Path, tmp_path: Path, install: Callable[..., bool]) -> None:
    index.add("widget", "widget-3.0.tar.gz", b"a script that would run")
    with running(options(tmp_path / "kept", index.url), rules_of("wheels-only = true", tmp_path / "osv")) as address:
        assert install(uv, address, "widget", tmp_path / "any")
        assert not install(uv, address, "widget==3.0", tmp_path / "exact")
    assert installed(tmp_path / "any") == ["widget-2.0"]
    assert index.count("/files/widget-3.0.tar.gz") == 0
