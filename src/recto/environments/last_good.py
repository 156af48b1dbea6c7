"""The last good environment of a document: what it was rendered with when all was well.

Where the policy allows it, a change that cannot be had takes no document down: it is rendered with the packages that it
had, and says so. Only an environment that stands over the base as it is now, and that whoever asks may have installed.
A document that had no packages of its own goes back to the base alone, which needs nobody's leave.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, date, datetime

from msgspec import Struct

from recto.declaration.model import Declaration
from recto.declaration.pep508 import canonical
from recto.environments.model import Environment
from recto.interpreters import Base
from recto.keys import EnvironmentKey, declaration_digest
from recto.policy import Grant, Policy, judge_request
from recto.problems import Problem, StoreError, problem
from recto.store import Miss, Record, Store


class LastGood(Struct, frozen=True):
    """An environment that is held, the day since when it is the document's, and what was declared then.

    Where nothing was declared it is the base, and there is nothing to hold.
    """

    environment: Environment
    since: date
    declared: tuple[str, ...]

    def remark(self, declaration: Declaration | None) -> Problem:
        """The warning for the top of the report; the declaration of now is None where it cannot be read."""
        day = self.since.isoformat()
        whose = f"those of the base alone, as on {day}" if self.environment.key is None else f"those of {day}"
        return problem("last-good", whose=whose, changes=self._changes(declaration))

    def _changes(self, declaration: Declaration | None) -> str:
        if declaration is None:
            return "What is declared now cannot be read"
        now = _declared(declaration)
        added = [text for text in now if text not in self.declared]
        gone = [text for text in self.declared if text not in now]
        parts = [*(f"`{text}` was added" for text in added), *(f"`{text}` was removed" for text in gone)]
        return "Since then " + ", ".join(parts) if parts else "What is declared did not change since then"


def keep(store: Store, document: str, declaration: Declaration, base: Base, environment: Environment) -> None:
    """Keeps what the document was rendered with; writes nothing where that is what was kept.

    A disk that takes no word of it takes nothing from the render, which went well.
    """
    value = {
        "declared": list(_declared(declaration)),
        "declaration": declaration_digest(declaration),
        "base": _identity(base),
    }
    same = {"environment_key": None if environment.key is None else environment.key.digest, "value": value}
    with suppress(StoreError):
        known = store.document(document)
        if isinstance(known, Miss) or known.value != same or _day(known.written_at) is None:
            store.put_document(document, environment.key, value)


def find(store: Store, document: str, base: Base, policy: Policy, grant: Grant) -> LastGood | None:
    """The last good environment, held until it is closed; None where there is none that may be used."""
    match store.document(document):
        case Record(
            {
                "environment_key": (str() | None) as digest,
                "value": {"declared": [*declared], "declaration": str() as asked, "base": str() as stood},
            },
            written_at,
        ):
            since = _day(written_at)
            if stood != _identity(base) or since is None:
                return None
            if digest is None:
                plain = Environment(None, base.python, base.prefix, "last-good")
                return LastGood(plain, since, tuple(map(str, declared)))
            if not judge_request(policy, grant, asked).allowed:
                return None
            try:
                lease = store.lease(EnvironmentKey(digest))
            except ValueError:
                return None  # corruption is a miss
            if isinstance(lease, Miss):
                return None
            return LastGood(Environment.leased(lease, "last-good"), since, tuple(map(str, declared)))
    return None


def _day(seconds: float) -> date | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (OverflowError, ValueError, OSError):
        return None  # no day that there ever was: corruption is a miss


def _declared(declaration: Declaration) -> tuple[str, ...]:
    return tuple(sorted({canonical(entry.requirement) for entry in declaration.requirements}))


def _identity(base: Base) -> str:
    """All of the base that an environment over it may lean on, and more: asked is only whether it is the same."""
    identity = base.identity
    packages = sorted(f"{name}=={version}" for name, version in identity.distributions.items())
    texts = (identity.version, identity.platform, identity.abi, identity.location, *packages)
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
