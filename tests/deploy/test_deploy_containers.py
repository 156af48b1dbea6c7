"""The container file and the compose file: valid, and closed but for what is meant to be open."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from deployed import COMPOSE, CONTAINERFILE, DEPLOY, PROFILE, instructions, services

from recto.sandbox.seccomp.rules import RULES

BIN = Path(sys.executable).parent
STRANGERS = ("build", "render")
# What bubblewrap asks of the kernel to make a world, and a document in that world may not: it is Recto's own filter
# that keeps it from documents there.
OPENED = {
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "sethostname", "setdomainname"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "open_tree_attr", "mount_setattr"),
}


def linted(text: str) -> list[str]:
    """The codes of what hadolint finds."""
    done = subprocess.run(
        [BIN / "hadolint", "--no-color", "--format", "json", "-"], input=text, capture_output=True, text=True
    )
    return [finding["code"] for finding in json.loads(done.stdout)]


def test_the_container_file_has_no_findings() -> None:
    assert linted(CONTAINERFILE.read_text(encoding="utf-8")) == []
    assert linted("FROM debian\nRUN cd /tmp\n") != []


def test_the_last_image_is_a_plain_users() -> None:
    words = [word for word, _ in instructions()]
    last = instructions()[len(words) - words[::-1].index("FROM") :]
    users = [rest for word, rest in last if word == "USER"]
    assert users == ["10001:10001"]
    assert [rest for word, rest in last if word == "VOLUME"] == ["/var/lib/recto"]
    assert [word for word, _ in last if word in ("HEALTHCHECK", "ENTRYPOINT", "CMD")] == [
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ]
    # What made the wheel, and the index that it came from, stay behind.
    assert [rest for word, rest in last if word == "ARG"] == []


def test_what_asks_for_health_asks_where_the_gateway_listens() -> None:
    found = dict(instructions())
    port = json.loads(found["CMD"])[-1]
    assert found["EXPOSE"] == port
    assert f"('127.0.0.1', {port}, " in found["HEALTHCHECK"]
    assert "'/health'" in found["HEALTHCHECK"]


def compose_findings(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_compose_file_follows_the_specification(tmp_path: Path) -> None:
    done = compose_findings(COMPOSE)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text(encoding="utf-8").replace("cap_drop:", "cap_dropped:"))
    assert compose_findings(wrong).returncode == 1


@pytest.mark.parametrize("name", services())
def test_a_service_has_no_rights_and_limits(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc", "ports"} & set(service)
    assert service["user"] == "10001:10001"
    assert service["mem_limit"] == service["memswap_limit"]
    assert service["cpus"] > 0
    assert service["pids_limit"] > 0
    assert all("size=" in found for found in service["tmpfs"])


def test_only_the_gateway_reaches_out() -> None:
    networks = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["networks"]
    closed = {name for name, network in networks.items() if network.get("internal")}
    open_to_all = {name for name, service in services().items() if not _networks(service) <= closed}
    assert open_to_all == {"gateway"}
    assert _networks(services()["build"]) == {"inside"} <= closed
    assert services()["render"]["network_mode"] == "none"
    assert services()["prune"]["network_mode"] == "none"


def _networks(service: dict[str, object]) -> set[str]:
    if service.get("network_mode") == "none":
        return set()
    found = service["networks"]
    assert isinstance(found, list)
    return set(found)


def test_the_kernel_is_opened_for_bubblewrap_and_for_nothing_else() -> None:
    for name, service in services().items():
        options = set(service["security_opt"]) - {"no-new-privileges:true"}
        sandbox = (service.get("environment") or {}).get("RECTO_SANDBOX")
        assert bool(options) is (sandbox == "bubblewrap"), name
        if name in STRANGERS:
            assert sandbox in ("bubblewrap", "landlock")
        for option in options:
            key, _, value = option.partition("=")
            assert value == "unconfined" or (COMPOSE.parent / value) == DEPLOY / "seccomp" / PROFILE.name
            assert not (key == "seccomp" and value == "unconfined")


def test_the_gateways_files_are_its_own() -> None:
    holders = {name: {mount.split(":")[0] for mount in service["volumes"]} for name, service in services().items()}
    assert [name for name, held in holders.items() if "gateway" in held] == ["gateway"]
    assert [name for name, held in holders.items() if "store" in held] == ["build", "render", "prune"]


def test_the_profile_denies_what_documents_may_not_but_for_what_bubblewrap_needs() -> None:
    profile = json.loads(PROFILE.read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    denied = {name for rule in profile["syscalls"] if "args" not in rule for name in rule["names"]}
    ours = {call for rule in RULES if not rule.conditions and rule.error == 1 for call in rule.calls}
    assert denied == ours - OPENED
    assert ours >= OPENED
    assert all(rule["action"] == "SCMP_ACT_ERRNO" for rule in profile["syscalls"])
