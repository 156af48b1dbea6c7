"""A case: an attack in a directory of its own, and what must be true of it under each mechanism."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
from words import WORKS

CASES = Path(__file__).with_name("cases")
ROWS = Path(__file__).with_name("rows.txt")
MECHANISMS = ("bubblewrap", "landlock", "none")

Kind = Literal["command", "document", "package", "requirements", "source", "wheels"]


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must have become of each try, in the words of `words.py`, and what must be seen outside afterwards.

    `became` has the tries that do not become `all`. `changed` are the places whose files differ, `told` the places
    where the secret can be read, `reached` the services that somebody came to, `left` the processes that are there.
    """

    all: str = ""
    became: dict[str, str] = {}
    changed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Seen(msgspec.Struct, frozen=True):
    """What became of each try, and what was seen outside afterwards, as in `Expected`."""

    became: dict[str, str]
    changed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attack. Its files lie beside its `case.toml`, by what its `kind` runs.

    `order` is its place in the table, `attempt` what is tried, in a reader's words, and `row` that in the words of
    `rows.txt`. `none` is the control: nothing contains the attack, which must work there. `uncontrolled` are tries that
    have none, each with its reason; `control` says what stands in for a control where Recto itself is in the way.
    `outside` are tries that can be judged from outside only: they work where what is seen there names them, and are
    what is said here else. `settings` are those of Recto, `limits` those of a command. `needs` is what a machine must
    have for the case to be run as it is meant: `root` for its control, `groups` to count what a command uses.
    """

    order: int
    row: str
    attempt: str
    kind: Kind
    bubblewrap: Expected
    landlock: Expected
    none: Expected
    control: str = ""
    uncontrolled: dict[str, str] = {}
    settings: dict[str, str] = {}
    limits: dict[str, int] = {}
    outside: dict[str, str] = {}
    needs: tuple[Literal["root", "groups"], ...] = ()
    directory: Path = Path()

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.directory.name

    def expected(self, mechanism: str) -> Expected:
        """What its file says of this mechanism."""
        return {"bubblewrap": self.bubblewrap, "landlock": self.landlock, "none": self.none}[mechanism]

    def wanted(self, mechanism: str, tries: Iterable[str]) -> Seen:
        """What must be seen under this mechanism, of an attack that makes these tries."""
        expected = self.expected(mechanism)
        became = dict.fromkeys(tries, expected.all) | expected.became
        return Seen(became, expected.changed, expected.told, expected.reached, expected.left)

    def judged(self, seen: Seen, mechanism: str) -> Seen:
        """What counts: tries that are judged from outside are, and those that have no control are not shown as one."""
        facts = {*seen.changed, *seen.told, *seen.reached, *seen.left}
        became = dict(seen.became)
        if mechanism != "none" or not self.control:
            became |= {name: WORKS if name in facts else what for name, what in self.outside.items()}
        left_out = self.uncontrolled if mechanism == "none" else ()
        return msgspec.structs.replace(seen, became={name: became[name] for name in became if name not in left_out})


def read(directory: Path) -> Case:
    """The case in a directory; raises msgspec.ValidationError where its file has a field that cases do not have."""
    case = msgspec.toml.decode((directory / "case.toml").read_bytes(), type=Case)
    return msgspec.structs.replace(case, directory=directory)


def cases() -> tuple[Case, ...]:
    """All cases, in the order of the table."""
    found = (read(path.parent) for path in CASES.glob("*/case.toml"))
    return tuple(sorted(found, key=lambda case: case.order))
