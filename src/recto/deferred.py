"""Names of a package that are imported when they are first used (PEP 562).

`recto run` stands before every process that it starts. A package whose names are deferred costs it nothing but the
modules that it really uses.
"""

from __future__ import annotations

TYPE_CHECKING = False  # Of the same name in `typing`, whose import takes longer than all that is done here.
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def deferred(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package: `homes` maps each name to the module that has it."""

    def imported(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import importlib
        import sys

        value: object = getattr(importlib.import_module(homes[name]), name)
        # Found without this function the next time.
        setattr(sys.modules[package], name, value)
        return value

    return imported
