"""The one catalogue of codes: a literal table, one file a group under `kinds/`, and the way to word a problem."""

from __future__ import annotations

from recto.problems.kind import Kind
from recto.problems.kinds import (
    audit,
    base,
    build,
    declaration,
    engine,
    environment,
    gateway_rules,
    install,
    network,
    policy,
    sandbox,
    store,
)
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
    **audit.KINDS,
    **gateway_rules.KINDS,
    **sandbox.KINDS,
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
    """The problem of this code, its templates filled with `facts`; KeyError for an unknown code or a missing fact.

    Its words hold no credentials, whoever the facts come from: a cell's error says what the cell was given.
    """
    # Late, as most commands have no problem to word.
    from recto.problems.diagnosis.redact import redacted

    kind = KINDS[code]
    if package is not None:
        facts.setdefault("package", package)
    return Problem(
        code=code,
        level=kind.level,
        message=redacted(kind.message.format(**facts)),
        hint=redacted(kind.hint.format(**facts)),
        package=package,
        source=source,
        excerpt=redacted(excerpt),
        fix=fix,
    )
