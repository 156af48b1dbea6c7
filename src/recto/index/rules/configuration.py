"""The operator's TOML document to rules: `[rules]` for everybody, `[tenants.NAME.rules]` in place of single keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from recto.declaration.showing import shown
from recto.declaration.text import Unreadable, lines_of
from recto.declaration.toml import load
from recto.index.advisories.collection import NONE, Advisories
from recto.index.base import Rule
from recto.index.rules.chosen import KEYS, Chosen
from recto.problems import Problem, SettingsError, Source, problem
from recto.version import VERSION

_BY_ADVISORIES = ("malicious", "vulnerable")


class Rulebook(Struct, frozen=True):
    """The rules of everybody, those of tenants with choices of their own, and the digest of both.

    `version` changes with every choice, with the advisories, and with the version of Recto. What the rules answer
    also changes as time passes: a page is the same only while the same files are on it.
    """

    everybody: tuple[Rule, ...]
    tenants: Mapping[str, tuple[Rule, ...]]
    version: str

    def rules_for(self, tenant: str) -> tuple[Rule, ...]:
        """The rules of the tenant; those of everybody for one that has none of its own."""
        return self.tenants.get(tenant, self.everybody)


class Choices(Struct, frozen=True):
    """What the document says, before any advisories are known."""

    everybody: Chosen
    tenants: Mapping[str, Chosen]

    def over(self, advisories: Advisories = NONE) -> Rulebook:
        """The rules over these advisories."""
        malicious, vulnerable = advisories.only(malicious=True), advisories.only(malicious=False)
        said = msgspec.json.encode((VERSION, advisories.digest, self), order="deterministic")
        return Rulebook(
            self.everybody.rules(malicious, vulnerable),
            {name: chosen.rules(malicious, vulnerable) for name, chosen in self.tenants.items()},
            sha256(said).hexdigest()[:32],
        )


def read_choices(data: bytes, file: str, *, with_advisories: bool) -> Choices:
    """What the document says; an empty one gives the defaults. `file` is its name in problems.

    Raises SettingsError with everything that is wrong with it: `gateway-rules-unreadable`, or a `gateway-rule-invalid`
    for each key. A rule that goes by advisories cannot be asked for where the operator supplies none.
    """
    try:
        text = data.decode("utf-8-sig")
        document = load(text)
    except (Unreadable, UnicodeDecodeError) as error:
        raise SettingsError(problem("gateway-rules-unreadable", file=file, reason=str(error))) from error
    reading = _Reading(file, lines_of(text), with_advisories)
    tables = reading.tables(document)
    values = {name: reading.values(f"{_path(name)}rules", table) for name, table in tables.items()}
    if reading.problems:
        raise SettingsError(reading.problems)
    everybody = values.pop("")
    return Choices(_chosen(everybody), {name: _chosen({**everybody, **own}) for name, own in sorted(values.items())})


class _Reading:
    """One pass over a document, which gathers what is wrong with it."""

    def __init__(self, file: str, lines: list[str], with_advisories: bool) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = lines
        self._with_advisories = with_advisories

    def tables(self, document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """The table of keys of everybody, under "", and of each tenant."""
        self._only(("rules", "tenants"), document, "")
        found = {"": self._table("rules", document.get("rules", {}))}
        for name, tenant in self._table("tenants", document.get("tenants", {})).items():
            if not name:
                self._wrong("tenants", name, "a tenant has a name", "`[tenants.NAME.rules]`")
                continue
            inside = self._table(f"tenants.{name}", tenant)
            self._only(("rules",), inside, _path(name))
            found[name] = self._table(f"{_path(name)}rules", inside.get("rules", {}))
        return found

    def values(self, path: str, table: Mapping[str, Any]) -> dict[str, object]:
        """Each key's value, as its rule takes it; None for a rule that is switched off."""
        found: dict[str, object] = {}
        self._only(tuple(KEYS), table, f"{path}.")
        for key, value in table.items():
            if key not in KEYS:
                continue
            if value is False:
                found[key] = None
            elif key in _BY_ADVISORIES and not self._with_advisories:
                self._wrong(f"{path}.{key}", value, "no folder of advisories is set", f"`{key} = false`, or set one")
            else:
                try:
                    found[key] = KEYS[key].read(value)
                except ValueError as error:
                    self._wrong(f"{path}.{key}", value, str(error), f"`{KEYS[key].example}`")
        return found

    def _table(self, path: str, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._wrong(path, value, "it is a table", f"`[{path}]` on a line of its own")
        return {}

    def _only(self, known: tuple[str, ...], table: Mapping[str, Any], path: str) -> None:
        for key in table.keys() - set(known):
            near = get_close_matches(key, known, n=1)
            example = f"`{near[0]}`" if near else f"one of {', '.join(f'`{name}`' for name in known)}"
            self._wrong(f"{path}{key}", table[key], "there is no such key", example)

    def _wrong(self, path: str, value: object, reason: str, example: str) -> None:
        self.problems.append(
            problem(
                "gateway-rule-invalid",
                source=Source(self._file, self._line(path)),
                key=shown(path, 120),
                value=shown(_as_written(value), 60),
                reason=reason,
                example=example,
            )
        )

    def _line(self, path: str) -> int | None:
        """The line that the key stands on, as far as plain spelling shows it."""
        table, _, key = path.rpartition(".")
        inside = not table
        for number, line in enumerate(self._lines, 1):
            text = line.strip()
            if header := re.match(r"\[+\s*(.*?)\s*\]+\s*(?:#.*)?$", text):
                inside = header[1].replace('"', "") == table
                if header[1].replace('"', "") == path:
                    return number
            elif (inside and re.match(rf"[\"']?{re.escape(key)}[\"']?\s*[.=]", text)) or re.match(
                rf"{re.escape(path)}\s*=", text
            ):
                return number
        return None


def _chosen(values: Mapping[str, object]) -> Chosen:
    return Chosen(**{key.replace("-", "_"): value for key, value in values.items()})  # type: ignore[arg-type]


def _path(tenant: str) -> str:
    return f"tenants.{tenant}." if tenant else ""


def _as_written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
