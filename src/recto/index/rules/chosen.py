"""What an operator chose: one value for each key, and the rules that come of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from msgspec import Struct

from recto.index.advisories.collection import Advisories
from recto.index.base import Rule
from recto.index.rules.age import Age
from recto.index.rules.allow import Allow
from recto.index.rules.as_of import AsOf
from recto.index.rules.deny import Deny
from recto.index.rules.file_size import FileSize
from recto.index.rules.malicious import Malicious
from recto.index.rules.project_size import ProjectSize
from recto.index.rules.project_status import ProjectStatus
from recto.index.rules.reading import (
    Levels,
    one_of,
    read_bytes,
    read_day,
    read_days,
    read_levels,
    read_names,
    read_ranges,
    read_switch,
)
from recto.index.rules.versions import Ranges
from recto.index.rules.vulnerable import Vulnerable
from recto.index.rules.wheels_only import WheelsOnly
from recto.index.rules.yanked import Yanked


class Chosen(Struct, frozen=True):
    """The values of the keys, with their defaults. None is no such rule, which `false` in the file says as well."""

    allow: Ranges | None = None
    deny: Ranges | None = None
    wheels_only: bool | None = True
    minimum_age_days: float | None = None
    age_exempt: frozenset[str] | None = None
    as_of: date | None = None
    file_bytes_max: int | None = None
    project_bytes_max: int | None = None
    yanked: str | None = "keep"
    archived: str | None = "warn"
    malicious: str | None = "block"
    vulnerable: Levels | None = None

    def rules(self, malicious: Advisories, vulnerable: Advisories) -> tuple[Rule, ...]:
        """The rules, in the order in which their reasons are given."""
        return tuple(rule for key in KEYS.values() if (rule := key.make(self, malicious, vulnerable)) is not None)


class Key(Struct, frozen=True):
    """One key of `[rules]`: how its value is read, how it is written, and the rule that it makes, if any.

    `make` is given all values, as a rule may go by several, and the advisories of either sort.
    """

    read: Callable[[object], object]
    example: str
    make: Callable[[Chosen, Advisories, Advisories], Rule | None]


KEYS: dict[str, Key] = {
    "allow": Key(
        read_ranges,
        'allow = ["numpy", "pandas>=2"]',
        lambda chosen, *_: None if chosen.allow is None else Allow(chosen.allow),
    ),
    "deny": Key(
        read_ranges, 'deny = ["ctx", "numpy<2"]', lambda chosen, *_: Deny(chosen.deny) if chosen.deny else None
    ),
    "malicious": Key(
        one_of("block", "warn"),
        'malicious = "block"',
        lambda chosen, malicious, _: (
            Malicious(malicious, blocks=chosen.malicious == "block") if chosen.malicious else None
        ),
    ),
    "vulnerable": Key(
        read_levels,
        'vulnerable = {block = "high", warn = "low"}',
        lambda chosen, _, vulnerable: (
            Vulnerable(vulnerable, chosen.vulnerable.block, chosen.vulnerable.warn) if chosen.vulnerable else None
        ),
    ),
    "archived": Key(
        one_of("warn", "hide", "keep"),
        'archived = "warn"',
        # Without a choice as well: what is in quarantine is always hidden.
        lambda chosen, *_: ProjectStatus(chosen.archived or "keep"),
    ),
    "wheels-only": Key(
        read_switch, "wheels-only = true", lambda chosen, *_: WheelsOnly() if chosen.wheels_only else None
    ),
    "minimum-age-days": Key(
        read_days,
        "minimum-age-days = 7",
        lambda chosen, *_: (
            Age.of_days(chosen.minimum_age_days, chosen.age_exempt or frozenset()) if chosen.minimum_age_days else None
        ),
    ),
    "age-exempt": Key(read_names, 'age-exempt = ["our-package"]', lambda *_: None),
    "as-of": Key(
        read_day, "as-of = 2026-01-31", lambda chosen, *_: None if chosen.as_of is None else AsOf.of(chosen.as_of)
    ),
    "yanked": Key(
        one_of("hide", "keep"), 'yanked = "hide"', lambda chosen, *_: Yanked() if chosen.yanked == "hide" else None
    ),
    "file-bytes-max": Key(
        read_bytes,
        "file-bytes-max = 500_000_000",
        lambda chosen, *_: None if chosen.file_bytes_max is None else FileSize(chosen.file_bytes_max),
    ),
    "project-bytes-max": Key(
        read_bytes,
        "project-bytes-max = 100_000_000_000",
        lambda chosen, *_: None if chosen.project_bytes_max is None else ProjectSize(chosen.project_bytes_max),
    ),
}
