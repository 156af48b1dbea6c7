"""Failures: what is remembered of an ask that could not be answered, for all who ask for the same.

Projects with one spec share its failure, and each is told of its own lines. Whoever asks to try again passes it by, and
takes only a failure that came about while they waited for their turn.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from msgspec import Struct

from recto.environments.asks import Ask
from recto.environments.lifetimes import lifetime
from recto.environments.placing import Place, placed, places
from recto.keys import SpecKey
from recto.policy import Policy
from recto.problems import BuildError, Problem, RectoError, Refused, ResolveError, StoreError, problem
from recto.store import Failure, Miss, Store

_ERRORS: Mapping[str, type[RectoError]] = {"resolve": ResolveError, "build": BuildError, "refused": Refused}

# Only what hangs on the operator's limits lasts longer than this.
_DAY_SECONDS = 86_400.0

# Of the tool's own text: a proof over a hundred pins, or the end of a log.
_RAW_CHARACTERS_MAX = 16_000


class Remembered(Struct, frozen=True):
    """An error as it came about, with a remark that it did so before. `occasion` tells it from every other.

    It is remembered from `since` to `until`, in seconds since 1970; where `under_caps`, less long if the limits change.
    """

    error: RectoError
    occasion: str
    since: float
    until: float
    under_caps: bool

    @property
    def refusal(self) -> bool:
        """Whether the policy said no to a plan."""
        return isinstance(self.error, Refused)


class Failures:
    """The failures that one store remembers, under one policy."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._caps: Mapping[str, object] = {
            "packages_max": policy.packages_max,
            "download_bytes_max": policy.download_bytes_max,
            "installed_bytes_max": policy.installed_bytes_max,
            "resolve_seconds_max": policy.resolve_seconds_max,
            "build_seconds_max": policy.build_seconds_max,
        }

    def known(self, ask: Ask) -> Remembered | None:
        """What is remembered of this ask."""
        failure = self._store.failure(ask.spec)
        if isinstance(failure, Miss):
            return None
        try:
            return self._remembered(failure, ask)
        except (KeyError, TypeError, ValueError):
            return None  # corruption is a miss: it is tried again

    def tell(self, ask: Ask, but: str | None = None, refusals: bool = True) -> None:
        """Raises what is remembered of this ask, unless it came about on the occasion `but`."""
        known = self.known(ask)
        if known is not None and known.occasion != but and (refusals or not known.refusal):
            raise known.error

    @contextmanager
    def remembering(self, ask: Ask) -> Iterator[None]:
        """Remembers what the block fails with, if its cause is one to be remembered. For whoever holds the mutex."""
        try:
            yield
        except (ResolveError, BuildError, Refused) as error:
            # What failed is to be told, and a disk that takes no word of it costs one more try.
            with suppress(StoreError):
                self._keep(ask, error)
            raise

    def forget(self, spec: SpecKey) -> None:
        """Forgets what is remembered: it went well."""
        self._store.forget_failure(spec)

    def _keep(self, ask: Ask, error: RectoError) -> None:
        lasting = lifetime(error.problems)
        if lasting is None:
            self.forget(ask.spec)
            return
        value = {
            "error": next(name for name, kind in _ERRORS.items() if isinstance(error, kind)),
            "occasion": os.urandom(8).hex(),
            "problems": [found.to_json() for found in error.problems],
            "raw": _bounded(error.raw),
            "places": [list(place) for place in places(ask.declaration)],
            "caps": dict(self._caps) if lasting.under_caps else None,
        }
        self._store.put_failure(ask.spec, value, lasting.seconds)

    def _remembered(self, failure: Failure, ask: Ask) -> Remembered | None:
        value = failure.value
        if value["caps"] is not None and value["caps"] != self._caps:
            return None
        found = tuple(Problem.from_json(entry) for entry in value["problems"])
        if not any(one.level == "error" for one in found):
            raise ValueError("nothing failed")
        found = placed(found, map(_place, value["places"]), places(ask.declaration))
        left = failure.left_seconds
        until = "until the limits change" if left > _DAY_SECONDS else f"for {_span(left)} more"
        remark = problem("failure-remembered", age=_span(failure.age_seconds), until=until)
        error = _ERRORS[value["error"]]((*found, remark), str(value["raw"]))
        return Remembered(error, str(value["occasion"]), failure.since, failure.until, value["caps"] is not None)


def _place(entry: object) -> Place:
    match entry:
        case [str() as asked, str() as file, (int() | None) as line]:
            return asked, file, line
    raise ValueError("not a place")


def _bounded(text: str) -> str:
    """The text without credentials, and without its middle where it is long."""
    from recto.problems.diagnosis import redacted

    text = redacted(text)
    if len(text) <= _RAW_CHARACTERS_MAX:
        return text
    half = _RAW_CHARACTERS_MAX // 2
    return f"{text[:half]}\n…\n{text[-half:]}"


def _span(seconds: float) -> str:
    """A time for people, by its largest unit."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
