"""The search for one request's answer: what uv is asked, and what its answers and refusals come to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.declaration import canonical, clean_constraints, clean_requirements
from recto.problems import Problem, ResolveError
from recto.resolver.base import Request
from recto.resolver.compiling import Answer, NoSolution, Patience, Question, Uv, compile_lock
from recto.resolver.failures import clash, problems_of
from recto.resolver.installed import Unmet, Versions, base_versions, unmet
from recto.resolver.locking import allowed_hashes, locked
from recto.resolver.overlay import Clash, Names, Overlay, coherent
from recto.resolver.planning import versions_of
from recto.resolver.stand_ins import StandIns


class Found(Struct, frozen=True):
    """The answer: `versions` of everything in it, the `lock` of what the index offers of that, what stays `unmet`."""

    lock: Pylock
    versions: Versions
    unmet: tuple[Unmet, ...]
    said: str


class Search(Struct, frozen=True):
    """One request, and all that it takes to answer it.

    `pinned` are the protected versions, `base` is what stands for the base; `directory` is for uv's input and output.
    A `tentative` search finds out whether something would fit, and takes pages of the index as they are kept.
    """

    uv: Uv
    request: Request
    pinned: Mapping[NormalizedName, Version]
    base: StandIns
    directory: Path
    patience: Patience
    tentative: bool = False

    def run(self) -> Found:
        """The answer; raises ResolveError with problems at the lines of the declaration, Cancelled."""
        declaration = self.request.declaration
        overlay = coherent(self._ask, self._broken, frozenset(self.pinned))
        if isinstance(overlay, NoSolution):
            raise ResolveError(self._problems(overlay.said), overlay.said)
        if isinstance(overlay, Clash):
            said = overlay.proof.said
            raise ResolveError(clash(overlay.unmet, declaration, self.request.base, said), said)
        answer = self._closure(overlay)
        lock = locked(answer.lock, self.request.base, allowed_hashes(declaration.requirements), self.uv.builds)
        return Found(lock, answer.versions, overlay.unmet, answer.said)

    def _ask(self, pulled: Names) -> Answer | NoSolution:
        question = self._question()
        return self._compile(replace(question, requirements=(*question.requirements, *sorted(pulled))))

    def _broken(self, over: Versions) -> tuple[Unmet, ...]:
        return unmet(self.base.distributions, self.request.base, over)

    def _closure(self, overlay: Overlay) -> Answer:
        """The answer without the base packages that were asked for with it and neither moved nor are needed."""
        versions, under = overlay.answer.versions, base_versions(self.request.base)
        idle = {name for name in overlay.pulled if versions.get(name) == under.get(name)}
        if not idle:
            return overlay.answer
        question = self._question()
        narrowed = replace(
            question,
            requirements=(*question.requirements, *sorted(overlay.pulled - idle)),
            constraints=tuple(f"{name}=={versions[name]}" for name in sorted(versions)),
        )
        answer = self._compile(narrowed)
        # The versions are those of an answer, so a part of it is one too.
        if isinstance(answer, NoSolution):
            raise ResolveError(self._problems(answer.said), answer.said)
        return answer

    def _question(self) -> Question:
        declaration = self.request.declaration
        protected = (f"{name}=={version}" for name, version in sorted(self.pinned.items()))
        # Hashes are checked on the lock: one of them in its input makes uv ask for one everywhere.
        requirements = (canonical(one.requirement) for one in clean_requirements(declaration).declared)
        constraints = (canonical(one.requirement) for one in clean_constraints(declaration).declared)
        return Question(
            requirements=tuple(dict.fromkeys(requirements)),
            constraints=(*dict.fromkeys(constraints), *protected),
            preferences=self._preferences(),
            stand_ins=self.base.directory,
            as_of=declaration.as_of,
            current=self.request.current and not self.tentative,
            tentative=self.tentative,
        )

    def _preferences(self) -> Versions:
        """The base's versions, and of the last lock those of what the base has not."""
        preferred = self.request.preferred
        last = versions_of(preferred) if preferred is not None and not self.request.upgrade else {}
        return {**last, **base_versions(self.request.base)}

    def _compile(self, question: Question) -> Answer | NoSolution:
        return compile_lock(self.uv, self.request.base, question, self.directory, self.patience)

    def newest(self, requirement: str) -> Version | None:
        """The newest version of this one requirement that this base could have, whatever else is asked for.

        None where there is none, and where that could not be found out.
        """
        name = canonicalize_name(Requirement(requirement).name)
        day = self.request.declaration.as_of
        try:
            answer = self._compile(Question((requirement,), as_of=day, dependencies=False, current=True))
        except ResolveError:
            return None
        return answer.versions.get(name) if isinstance(answer, Answer) else None

    def _problems(self, said: str) -> tuple[Problem, ...]:
        return problems_of(said, self.request.declaration, self.pinned)
