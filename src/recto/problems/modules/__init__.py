"""Import names and the distributions that provide them: curated tables, and never a guess.

A module and a distribution of the same name can belong to different people, and installing the wrong one runs a
stranger's code. So a name that is not in these tables has no answer here.
"""

from recto.problems.modules.hints import distribution_for, hint_for_module, several, told_by_tables
from recto.problems.modules.known import Known, certain_names, is_distribution, known, module_of, namespaces
from recto.problems.modules.near import Near, near_modules
from recto.problems.modules.standard import OWN
from recto.problems.modules.wanted import missing_submodule, traced, wanted

__all__ = [
    "OWN",
    "Known",
    "Near",
    "certain_names",
    "distribution_for",
    "hint_for_module",
    "is_distribution",
    "known",
    "missing_submodule",
    "module_of",
    "namespaces",
    "near_modules",
    "several",
    "told_by_tables",
    "traced",
    "wanted",
]
