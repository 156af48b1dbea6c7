"""Runs a case of any kind under a mechanism, or what stands in for its control."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import document
import package
import requirements
import source
import wheel_entries
from case import Case, Kind
from result import Result
from stage import Tools

# By the kinds that Recto itself runs; `command` needs the mechanism alone.
RUNS: Mapping[Kind, Callable[[Case, str, Tools], Result]] = {
    "document": document.run,
    "package": package.run,
    "requirements": requirements.run,
    "source": source.run,
    "wheels": wheel_entries.run,
}
CONTROLS: Mapping[Kind, Callable[[Case, Tools], Result]] = {
    "document": document.control,
    "package": package.control,
    "requirements": requirements.control,
    "source": source.control,
    "wheels": wheel_entries.control,
}
