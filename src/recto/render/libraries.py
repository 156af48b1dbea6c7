"""A system library that an import needs and that is not here: whose import it was, and the edit that does without."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from recto.environments import Environment
from recto.environments.installed import Bringing
from recto.environments.providers import Providers
from recto.problems import Fix, Problem
from recto.render.declaring import Declaring, from_place
from recto.resolver.fixes.alternatives import SELF_CONTAINED
from recto.resolver.fixes.lines import can_change, entries, fix_of, renamed

# A frame of a traceback, in Python's form and in IPython's; the innermost stands last.
_FRAME = re.compile(r"site-packages/([A-Za-z_]\w{0,100})(?:[/.]([\w./-]{1,300}))?")
_IMPORT = re.compile(r"\s*(?:import|from)\s+([A-Za-z_]\w{0,100})")


class Libraries(Struct, frozen=True):
    """Advises on system libraries that one render missed. `environment` is where it ran."""

    declaring: Declaring
    environment: Environment
    providers: Providers

    def advised(self, found: Problem) -> Problem:
        """The problem with the package that needs the library, and a fix where one is known; others as they are."""
        if found.code != "shared-library-missing":
            return found
        needs = self._needing(found)
        if needs is None:
            return found
        better = SELF_CONTAINED.get(canonicalize_name(needs.name))
        if better is None:
            hint = f"`{needs.name}` {needs.version} needs it. Ask the operator for the library."
            return replace(found, hint=hint)
        fix = self._fix(needs, better)
        does = f"`{needs.name}` needs it; `{better}` is the same without that need"
        return replace(found, hint=f"{does}." if fix else f"{does}, and another package asked for the former.", fix=fix)

    def _needing(self, found: Problem) -> Bringing | None:
        """The one distribution whose import it was, None where that is not certain."""
        frames = [match[1] for match in _FRAME.finditer(found.excerpt)]
        for module in (*reversed(frames), *self._imported(found)):
            bringing = [one for one in self.providers.installed(module, self.environment) if one.own]
            if bringing:
                return bringing[0] if len(bringing) == 1 else None
        return None

    def _imported(self, found: Problem) -> tuple[str, ...]:
        """What the document's line imports."""
        lines = from_place(self.declaring.lines(found.source), found.source)
        match = _IMPORT.match(lines[0]) if lines else None
        return (match[1],) if match else ()

    def _fix(self, needs: Bringing, better: str) -> Fix | None:
        lines = entries(self.declaring.declaration)
        asking = [one for one in lines if canonicalize_name(one.requirement.name) == canonicalize_name(needs.name)]
        if not asking or not all(can_change(one) and not one.requirement.extras for one in asking):
            return None
        return fix_of(asking, [renamed(one, better) for one in asking])
