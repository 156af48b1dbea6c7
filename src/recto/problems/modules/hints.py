"""One sentence on how to come by a module, from the tables alone."""

from __future__ import annotations

from recto.problems.modules.different import UNBUILT, WINDOWS
from recto.problems.modules.known import known, namespaces
from recto.problems.modules.standard import BROUGHT_BACK, DROPPED, LEFT_OUT, OWN, RENAMED

# How many of a namespace's parts stand as examples.
_EXAMPLES = 3
_ADD = "Add the line `{}` to `requirements.txt`."


def distribution_for(module: str) -> str | None:
    """The requirement that brings the module (dotted names included), or None where none is known for certain."""
    found = known(module)
    return found.names[0] if found.certain else None


def hint_for_module(module: str, add: str = _ADD) -> str:
    """How to come by the module: what to add, or where it went, or how to look for it.

    `add` is the sentence that says how to declare a package, with a first `{}` in place of its name.
    """
    return told_by_tables(module, add) or (
        f"Find the package that provides `{module.strip().split('.')[0]}` on the index and add its name to "
        "`requirements.txt`; it may differ from the import name."
    )


def told_by_tables(module: str, add: str = _ADD) -> str:
    """As `hint_for_module`, empty where the tables do not know the module."""
    return _of_python(module.strip().split(".")[0], add) or _of_others(module.strip(), add)


def _of_python(top: str, add: str) -> str:
    """What to do about a module that is or was Python's own."""
    if top in DROPPED:
        gone = f"`{top}` left Python's standard library in {DROPPED[top]}"
        if top in BROUGHT_BACK:
            return f"{gone}. {add.replace('{}', BROUGHT_BACK[top], 1)}"
        return f"{gone}; use a newer version of the code that needs it."
    if top in LEFT_OUT:
        return (
            f"`{top}` belongs to Python's standard library, but does not come with this Python; it cannot be declared."
        )
    if top in RENAMED:
        return f"`{top}` is a name of Python 2; in Python 3 it is `{RENAMED[top]}`."
    return ""


def _of_others(module: str, add: str) -> str:
    top = module.split(".", maxsplit=1)[0]
    found, parts = known(module), namespaces(module)
    if found.certain:
        return add.replace("{}", found.names[0], 1)
    if top in WINDOWS:
        return f"`{top}` belongs to `pywin32`, which exists only on Windows."
    if top in UNBUILT:
        return f"`{top}` comes with `{UNBUILT[top]}`, which has no wheel for this machine; ask the operator for it."
    if found.names:
        return f"{several(found.names)} provide a module `{top}`, and differ: declare the one that the code is for."
    if parts:
        examples = ", ".join(f"`{name}` is in `{parts[name]}`" for name in sorted(parts)[:_EXAMPLES])
        return f"Many packages share the name `{module}`: declare the one whose part is imported; {examples}."
    if top in OWN:
        return f"`{top}` is a name for files of one's own, and there is no `{top}.py` where cells look: add the file."
    if top.startswith("_"):
        return f"`{top}` is a part of the package that imports it, which is not whole or not made for this Python."
    return ""


def several(names: tuple[str, ...]) -> str:
    """Names in backticks: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)
