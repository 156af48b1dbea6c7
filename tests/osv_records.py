"""OSV records as databases publish them, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recto.index.advisories.collection import Advisories, collect, pack

Json = dict[str, Any]


def record(
    identifier: str,
    name: str = "widget",
    *,
    versions: list[str] | None = None,
    events: list[Json] | None = None,
    kind: str = "ECOSYSTEM",
    ecosystem: str = "PyPI",
    **more: Any,
) -> Json:
    """A record about one package, with what is given and nothing else."""
    affected: Json = {"package": {"ecosystem": ecosystem, "name": name}}
    if versions is not None:
        affected["versions"] = versions
    if events is not None:
        affected["ranges"] = [{"type": kind, "events": events}]
    return {"id": identifier, "modified": "2026-01-01T00:00:00Z", "affected": [affected], **more}


def advisories(*records: Json) -> Advisories:
    """The set of these records."""
    return collect(pack(one) for one in records)


def keep(folder: Path, *records: Json) -> None:
    """Each record in a file of its own, named by its id."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in records:
        (folder / f"{one['id']}.json").write_text(json.dumps(one), encoding="utf-8")
