"""Runs a case of any kind under a mechanism."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import command
from case import Case, Kind
from result import Result

Run = Callable[[Case, str], Result]

RUNS: Mapping[Kind, Run] = {"command": command.run}
