"""The one catalogue of codes: a literal table, one file a group under `kinds/`, and the way to word a problem."""

from __future__ import annotations

from recto.problems.kind import Kind
from recto.problems.kinds import base, build, declaration, engine, environment, install, network, policy, store
from recto.problems.problem import Fix, Problem, Source

KINDS: dict[str, Kind] = {
    **declaration.KINDS,
    **policy.KINDS,
    **base.KINDS,
    **install.KINDS,
    **build.KINDS,
    **network.KINDS,
    **environment.KINDS,
    **store.KINDS,
    **engine.KINDS,
}


def problem(
    code: str,
    *,
    package: str | None = None,
    source: Source | None = None,
    excerpt: str = "",
    fix: Fix | None = None,
    **facts: object,
) -> Problem:
    """The problem of this code, its templates filled with `facts`; KeyError for an unknown code or a missing fact."""
    kind = KINDS[code]
    if package is not None:
        facts.setdefault("package", package)
    return Problem(
        code=code,
        level=kind.level,
        message=kind.message.format(**facts),
        hint=kind.hint.format(**facts),
        package=package,
        source=source,
        excerpt=excerpt,
        fix=fix,
    )
