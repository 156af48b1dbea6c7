"""Kinds: the base interpreter."""

from recto.problems.kind import Kind, by_code

KINDS = by_code(
    Kind(
        "base-missing",
        "base",
        "There is no base interpreter.",
        "There is no base interpreter at `{path}`.",
        "Build one with `recto base build`, or set `RECTO_BASE` to the interpreter to use.",
        who="operator",
        example={"path": "/srv/recto/v1/base/bin/python"},
    ),
    Kind(
        "base-unusable",
        "base",
        "The base interpreter does not start or does not answer as a Python interpreter does.",
        "`{path}` does not work as a base interpreter: {reason}.",
        "Set `RECTO_BASE` to a CPython 3.11 or newer.",
        who="operator",
        example={"path": "/usr/bin/false", "reason": "it exited with status 1"},
    ),
    Kind(
        "base-lacks-kernel",
        "base",
        "The base lacks a package that engines need to run cells.",
        "The base interpreter lacks {names}, which running cells needs.",
        "Install them into the base (`{python} -m pip install {names}`), or build a base with `recto base build`.",
        who="operator",
        example={"names": "ipykernel", "python": "/usr/bin/python3"},
    ),
    Kind(
        "requires-python-unmet",
        "base",
        "The project asks for a Python version that the base does not have.",
        "The project asks for Python `{specifier}`, and the base is Python {version}.",
        "Widen the range, or ask the operator for a base with such a Python.",
        example={"specifier": ">=3.14", "version": "3.11.7"},
    ),
    Kind(
        "base-drift",
        "base",
        "A package of the base changed, so the environment was resolved again.",
        "The base changed ({changes}), so the packages were resolved again: {moved}.",
        "Nothing to do; `recto env explain` shows both states.",
        who="nobody",
        level="info",
        example={"changes": "pandas 3.1.0 → 3.1.1", "moved": "nothing else moved"},
    ),
    Kind(
        "base-shadowed",
        "base",
        "A base package no longer fits what the environment puts over it, and no fitting version exists.",
        "`{package}` of the base needs {needs}, and the environment has {has}.",
        "Do not import `{package}` in this document, or widen the range of {cause}.",
        level="warning",
        example={"package": "seaborn", "needs": "numpy>=2", "has": "numpy 1.26.4", "cause": "`numpy<2`"},
    ),
)
