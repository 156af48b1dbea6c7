"""The rules in force, while the advisories that they go by change."""

from __future__ import annotations

from pathlib import Path

from recto.index.advisories.collection import NONE, Advisories
from recto.index.advisories.folder import load
from recto.index.base import Rule
from recto.index.rules.configuration import Choices
from recto.problems import Problem


class CurrentRules:
    """A rulebook that is exchanged for the next one whole: whoever asks meanwhile has one or the other.

    Without a folder nothing is known to be malicious or vulnerable, and nothing ever changes.
    """

    def __init__(self, choices: Choices, folder: Path | None = None) -> None:
        """Reads the folder; raises SettingsError (`advisories-unreadable`)."""
        self._choices = choices
        self._folder = folder
        self._loaded = None if folder is None else load(folder)
        self._rulebook = choices.over(self.advisories)

    @property
    def advisories(self) -> Advisories:
        """What is known."""
        return NONE if self._loaded is None else self._loaded.advisories

    @property
    def version(self) -> str:
        """The digest of the rules and of all that they know."""
        return self._rulebook.version

    def rules_for(self, tenant: str) -> tuple[Rule, ...]:
        """The rules of the tenant."""
        return self._rulebook.rules_for(tenant)

    def refresh(self) -> Problem | None:
        """Reads the folder again if it changed, and says what stands in the way of that; the last good state stays.

        It may block for seconds: not for the thread that answers, and not for two threads at once.
        """
        if self._folder is None or self._loaded is None:
            return None
        loaded = self._loaded.refreshed(self._folder)
        if loaded.advisories is not self._loaded.advisories:
            self._rulebook = self._choices.over(loaded.advisories)
        self._loaded = loaded
        return loaded.problem
