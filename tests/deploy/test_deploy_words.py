"""Every file of `deploy/` says only what Recto understands: its settings and its commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deployed import DEPLOY, ROOT, commands, objects, services, variables

from recto.cli.parser import parser
from recto.settings.model import PREFIX, declared
from recto.version import VERSION

# A name of ours wherever it stands in a file, in a comment too.
_NAME = re.compile(rf"\b{PREFIX}[A-Z][A-Z_]*[A-Z]\b")
_NOT_SETTINGS = {f"{PREFIX}CONFIG"}
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
VARIABLES = [found for found in variables() if found[1].startswith(PREFIX)]
COMMANDS = list(commands())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_name_of_ours_in_a_file_is_a_setting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {f"{PREFIX}{name.upper()}" for name in declared()} | _NOT_SETTINGS
    assert set(_NAME.findall(text)) - known == set()


@pytest.mark.parametrize(("where", "name", "value"), VARIABLES)
def test_the_value_of_a_setting_can_be_read(where: str, name: str, value: str) -> None:
    # An address of the cluster stands for itself until there is one.
    text = re.sub(r"\$\((\w+)\)", "192.0.2.1", value)
    declared()[name.removeprefix(PREFIX).lower()].parse(text)


def test_settings_are_found_in_every_kind_of_file() -> None:
    kinds = {where.split()[0].split("/")[0] for where, _, _ in VARIABLES}
    assert kinds >= {"Containerfile", "compose.yaml", "recto-gateway.service", "StatefulSet", "Job", "CronJob"}


@pytest.mark.parametrize(("where", "words"), COMMANDS, ids=[f"{where}: {' '.join(words)}" for where, words in COMMANDS])
def test_every_command_is_one_that_the_parser_knows(
    where: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        parser().parse_args(words)
    except SystemExit:
        pytest.fail(f"{where}: {capsys.readouterr().err}")


def test_commands_are_found_in_every_kind_of_file() -> None:
    assert len([where for where, _ in COMMANDS if where.startswith("Containerfile")]) == 2
    assert {where for where, _ in COMMANDS} >= {
        "recto-gateway.service",
        "recto-prune.service",
        "recto-render@.service",
        "compose.yaml gateway",
        "compose.yaml comment",
        "StatefulSet/gateway",
        "CronJob/prune",
        "Job/build",
        "Job/render",
    }


def test_no_service_of_the_cluster_lends_a_variable_that_looks_like_a_setting() -> None:
    names = [made["metadata"]["name"] for made in objects() if made["kind"] == "Service"]
    assert names
    assert [name for name in names if name.replace("-", "_").upper().startswith(PREFIX.rstrip("_"))] == []


def test_images_are_of_this_version_and_of_no_registry() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    images = {found for text in texts for found in re.findall(r"^ *image: (\S+)", text, re.MULTILINE)}
    tagged = re.findall(r"--tag (\S+)", (DEPLOY / "Containerfile").read_text(encoding="utf-8"))
    assert images == {*tagged} == {f"recto:{VERSION}"}
    assert {service["image"] for service in services().values()} == images


def test_the_image_is_built_from_what_git_knows_and_the_list_names() -> None:
    wanted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set()
    for line in (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])
    assert copied == wanted
    assert [name for name in wanted if not (ROOT / name).exists()] == []
