"""What the files under `deploy/` say, read for the tests: objects of Kubernetes, services of compose, keys of units."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = DEPLOY / "Containerfile"
COMPOSE = DEPLOY / "compose.yaml"
PROFILE = DEPLOY / "seccomp" / "bubblewrap.json"
UNITS = sorted((DEPLOY / "systemd").iterdir())
MANIFESTS = sorted((DEPLOY / "kubernetes").rglob("*.yaml"))

# What the image writes before every command.
ENTRY = "recto"


def objects() -> list[dict[str, Any]]:
    """Every object of the manifests, in the order of their files."""
    return [found for path in MANIFESTS for found in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [found for found in objects() if found["kind"] == kind]


def pod_templates() -> dict[str, dict[str, Any]]:
    """The template of each object that makes pods, by the kind and name of the object."""
    found = {}
    for made in objects():
        spec = made.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found[f"{made['kind']}/{name_of(made)}"] = spec["template"]
    return found


def containers(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [*template["spec"].get("initContainers", ()), *template["spec"]["containers"]]


def name_of(made: dict[str, Any]) -> str:
    """The name of an object, and of one that gets its name when it is made, what that begins with."""
    metadata = made["metadata"]
    return str(metadata.get("name") or metadata["generateName"].rstrip("-"))


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector takes an object with these labels; only `matchLabels` is used here."""
    assert set(selector) <= {"matchLabels"}, selector
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return found


def unit(path: Path) -> list[tuple[str, str, str]]:
    """The section, key and value of each line of a unit."""
    section, found = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((section, key, value))
    return found


def values(path: Path, key: str) -> list[str]:
    return [value for _, name, value in unit(path) if name == key]


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the container file and the rest of it, continuation lines joined, comments left out."""
    lines = [line for line in CONTAINERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def variables() -> Iterator[tuple[str, str, str]]:
    """Where each variable of ours is set, its name and its value, in every file of `deploy/`."""
    for word, rest in instructions():
        if word == "ENV":
            for name, _, value in (part.partition("=") for part in shlex.split(rest)):
                yield CONTAINERFILE.name, name, value
    for name, service in services().items():
        for variable, value in (service.get("environment") or {}).items():
            yield f"{COMPOSE.name} {name}", variable, value
    for path in UNITS:
        for assignment in values(path, "Environment"):
            variable, _, value = assignment.partition("=")
            yield path.name, variable, value
    for where, template in pod_templates().items():
        for container in containers(template):
            for entry in container.get("env", ()):
                yield where, entry["name"], entry.get("value", "")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Where each command of ours is, and its words after `recto`."""
    for word, rest in instructions():
        if word == "CMD":
            yield f"{CONTAINERFILE.name} CMD", json.loads(rest)
        if word == "RUN":
            for found in re.findall(r"/bin/recto ([^&|;]+)", rest):
                yield f"{CONTAINERFILE.name} RUN", shlex.split(found)
    for name, service in services().items():
        yield f"{COMPOSE.name} {name}", service["command"]
    for path in UNITS:
        for line in values(path, "ExecStart"):
            program, *words = shlex.split(line)
            assert program == "/opt/recto/bin/recto", line
            yield path.name, words
    for where, template in pod_templates().items():
        for container in containers(template):
            assert "command" not in container, where
            yield where, container["args"]
    for path in (COMPOSE, *UNITS, *MANIFESTS):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(r"#\s+docker compose run --rm \w+ (.+)", line)
            if found:
                yield f"{path.name} comment", shlex.split(found[1])
