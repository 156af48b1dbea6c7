"""Edited declarations, put to the resolver before anybody is told to edit."""

from __future__ import annotations

from collections.abc import Callable

from packaging.version import Version

from recto.declaration import Declaration
from recto.problems import ResolveError
from recto.resolver.fixes.lines import entries
from recto.resolver.installed import Versions

# Where uv could not look for an answer: of such a trial nothing is known.
_UNDECIDED = frozenset(
    {"cap-resolve-time", "index-auth", "index-error", "network-tls", "network-timeout", "network-unreachable"}
)


class Trials:
    """Asks about each declaration once, for as long as the resolver's patience lasts.

    `resolve` gives the versions of an answer or raises ResolveError; `newest` the newest version of one requirement
    that can be installed here, None where there is none or nothing is known.
    """

    def __init__(self, resolve: Callable[[Declaration], Versions], newest: Callable[[str], Version | None]) -> None:
        self._resolve = resolve
        self._newest = newest
        self._outcomes: dict[tuple[str, ...], Versions | ResolveError] = {}
        self._versions: dict[str, Version | None] = {}
        self.decided = True

    def outcome(self, declaration: Declaration) -> Versions | ResolveError:
        """The versions of an answer, or why there is none; `decided` turns false where that remains open."""
        asked = tuple(str(line.requirement) for line in entries(declaration))
        if asked not in self._outcomes:
            try:
                self._outcomes[asked] = self._resolve(declaration)
            except ResolveError as error:
                self._outcomes[asked] = error
                self.decided = self.decided and error.problems[0].code not in _UNDECIDED
        return self._outcomes[asked]

    def newest(self, requirement: str) -> Version | None:
        """The newest version that can be installed here, whatever else is asked for."""
        if requirement not in self._versions:
            self._versions[requirement] = self._newest(requirement)
        return self._versions[requirement]
