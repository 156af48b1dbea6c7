"""Resolutions as they are kept: JSON with the lock as PEP 751 text, and back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import tomli_w
from msgspec.structs import asdict, replace
from packaging.pylock import Pylock, PylockValidationError

from recto.policy import FromBase, Installed, Plan, Replaced
from recto.problems import Problem
from recto.resolver.base import Resolution


def written(resolution: Resolution) -> Resolution:
    """The resolution with the text of its lock, the `pylock.toml`."""
    return resolution if resolution.text else replace(resolution, text=tomli_w.dumps(resolution.lock.to_dict()))


def plan_to_json(plan: Plan) -> dict[str, object]:
    """The `plan` object of `check --json`."""
    return {
        "install": [asdict(item) for item in plan.install],
        "from_base": [asdict(item) for item in plan.from_base],
        "replaces": [asdict(item) for item in plan.replaces],
        "download_bytes": plan.download_bytes,
    }


def to_json(resolution: Resolution) -> dict[str, object]:
    """Everything of the resolution but the tool's own text."""
    return {
        "lock": written(resolution).text,
        "plan": plan_to_json(resolution.plan),
        "leaned": dict(resolution.leaned),
        "remarks": [remark.to_json() for remark in resolution.remarks],
    }


def from_json(value: Mapping[str, object]) -> Resolution:
    """The resolution that `to_json` wrote; raises ValueError when it is anything else."""
    try:
        text = _text(value["lock"])
        return Resolution(
            lock=Pylock.from_dict(tomllib.loads(text)),
            text=text,
            plan=_plan(_mapping(value["plan"])),
            leaned={name: _text(version) for name, version in _mapping(value["leaned"]).items()},
            remarks=tuple(Problem.from_json(_mapping(entry)) for entry in _list(value["remarks"])),
        )
    except (KeyError, TypeError, PylockValidationError) as error:
        raise ValueError(f"not a resolution: {error}") from error


def _plan(value: Mapping[str, object]) -> Plan:
    return Plan(
        install=tuple(
            Installed(_text(e["name"]), _text(e["version"]), _size(e["download_bytes"]))
            for e in map(_mapping, _list(value["install"]))
        ),
        from_base=tuple(
            FromBase(_text(e["name"]), _text(e["version"])) for e in map(_mapping, _list(value["from_base"]))
        ),
        replaces=tuple(
            Replaced(_text(e["name"]), _text(e["base"]), _text(e["version"]))
            for e in map(_mapping, _list(value["replaces"]))
        ),
    )


def _size(value: object) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise TypeError("a size is a whole number")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {type(value).__name__}")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value
