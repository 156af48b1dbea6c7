"""The resolver that asks uv: fast, with sizes and hashes, told what the base has so that only the rest is installed."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.aside import Aside
from recto.declaration.model import Declaration
from recto.interpreters import Base, check_python
from recto.problems import ResolveError
from recto.progress import Event, Progress
from recto.resolver import planning, project_lock
from recto.resolver.base import Request, Resolution
from recto.resolver.cautions import cautions
from recto.resolver.compiling import OutOfTime, Patience, Uv, index_of
from recto.resolver.failures import clash, overtime, shadowed
from recto.resolver.installed import Versions, base_versions, unmet
from recto.resolver.search import Found, Search
from recto.resolver.stand_ins import StandIns, stand_ins
from recto.sandbox.temporary import temporary

# A failure waits this long for its fix. A warm run of uv takes a third of a second and a fix two to six of them; a
# package whose metadata nobody has fetched yet takes some seconds.
FIX_SECONDS = 10.0

# Refusals that sources may turn into an answer.
_UNANSWERED = frozenset(
    {"dependency-conflict", "no-matching-version", "no-wheel", "protected-conflict", "wheel-unsupported"}
)


class UvResolver:
    """Resolves with `uv pip compile`, in a directory of its own that is gone afterwards, whatever happens.

    `protected` are the distributions that engines need, kept at the base's versions. Beside uv's cache, a directory
    `base-metadata` holds the base's stand-ins. With `builds`, what has no answer of wheels alone is asked again with
    packages that are built from source.
    """

    def __init__(self, uv: Uv, protected: tuple[str, ...] = (), *, builds: bool = False) -> None:
        self._builds = builds
        self._uv = uv
        self._protected = tuple(canonicalize_name(name) for name in protected)

    def resolve(self, request: Request, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Resolution:
        """The resolution of the request.

        Raises BaseError (`requires-python-unmet`), ResolveError with problems at the lines of the declaration, and
        Cancelled.
        """
        declaration, base = request.declaration, request.base
        check_python(base, declaration.requires_python, declaration.requires_python_source)
        if declaration.lock is not None:
            return self._exact(declaration, base)
        progress(Event("resolving", "looking for versions that fit together", unit="packages"))
        # Each takes a tenth of a second, the first for a new uv, the second over a new base. What goes wrong with the
        # first is said when its answer is needed.
        with Aside(lambda: index_of(self._uv, base)):
            stands = self._stand_ins(base)
        with temporary() as directory:
            patience = Patience(request.seconds_max, cancelled, progress)
            search = Search(self._uv, request, self._pinned(base), stands, directory, patience)
            found = _found(search, progress, self._builds)
        count = len(found.lock.packages)
        progress(Event("resolving", "found versions that fit together", count, count, "packages"))
        plan = planning.plan(found.lock, base, found.versions)
        remarks = (*(shadowed(one, declaration) for one in found.unmet), *cautions(found.said, declaration, plan))
        leaned = planning.leaned(plan, base, stands.distributions, self._protected)
        return Resolution(found.lock, plan, leaned, remarks, found.said)

    def _stand_ins(self, base: Base) -> StandIns:
        return stand_ins(base, self._uv.cache.with_name("base-metadata"))

    def _pinned(self, base: Base) -> dict[NormalizedName, Version]:
        """The protected distributions that the base has, with their versions there."""
        versions = base_versions(base)
        return {name: versions[name] for name in self._protected if name in versions}

    def _exact(self, declaration: Declaration, base: Base) -> Resolution:
        """The project's own lock, as it is; raises where it is not for this base or breaks what runs the document."""
        lock, pinned, installed = declaration.lock, self._pinned(base), self._stand_ins(base).distributions
        if lock is None:
            raise ValueError("a declaration without a lock")
        chosen = project_lock.selected(lock, declaration.lock_source, base, pinned)
        plan = planning.whole(chosen, base)
        broken = unmet(installed, base, planning.versions_of(chosen))
        conflicts = [clash(one, declaration, base).at(declaration.lock_source) for one in broken if one.name in pinned]
        if conflicts:
            raise ResolveError(conflicts)
        remarks = tuple(shadowed(one, declaration).at(declaration.lock_source) for one in broken)
        return Resolution(chosen, plan, planning.leaned(plan, base, installed, self._protected), remarks)


def _found(search: Search, progress: Progress, builds: bool) -> Found:
    """The answer; a refusal has the edits that mend it, as far as they are found in `FIX_SECONDS`."""
    try:
        return _with_sources(search, progress) if builds else search.run()
    except OutOfTime as error:
        found = overtime(error.problems[0], search.request.declaration, search.patience.watch)
        raise OutOfTime(found, error.raw) from error
    except ResolveError as error:
        refused = error
    # Only who fails needs them.
    from recto.resolver.fixes.mending import REMEDIES, mended
    from recto.resolver.fixes.trials import Trials

    if refused.problems[0].code not in REMEDIES:
        raise refused
    progress(Event("resolving", "looking for what would fit", unit="packages"))
    looking = replace(search, patience=search.patience.part(FIX_SECONDS), tentative=True)
    request = search.request

    def resolve(declaration: Declaration) -> Versions:
        return replace(looking, request=replace(request, declaration=declaration)).run().versions

    trials = Trials(resolve, looking.newest)
    raise mended(refused, request.declaration, trials, frozenset(base_versions(request.base)))


def _with_sources(search: Search, progress: Progress) -> Found:
    """The answer of wheels alone, else one with sources; the first refusal where neither is."""
    try:
        return search.run()
    except ResolveError as error:
        refused = error
    if not _UNANSWERED.issuperset(found.code for found in refused.problems):
        raise refused
    progress(Event("resolving", "looking again, with packages that are built from source", unit="packages"))
    try:
        return replace(search, uv=replace(search.uv, builds=True)).run()
    except ResolveError as error:
        # A build that failed tells more than that there is no wheel; what fits nowhere is told of wheels.
        if not _UNANSWERED.issuperset(found.code for found in error.problems):
            raise
    raise refused
