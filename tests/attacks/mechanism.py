"""The mechanisms that cases are run under, as this machine has them."""

from __future__ import annotations

import os

import pytest

from containing import PLAIN, needs_bubblewrap, needs_landlock
from recto.sandbox.base import Sandbox
from recto.sandbox.bubblewrap import Bubblewrap
from recto.sandbox.identity import Identity
from recto.sandbox.landlock import Landlock
from recto.sandbox.none import NoSandbox

_NEEDS = {"bubblewrap": needs_bubblewrap, "landlock": needs_landlock}


def skip_unless_available(mechanism: str) -> None:
    """Ends the test, with the reason, where this machine cannot contain by it."""
    if mechanism in _NEEDS and _NEEDS[mechanism].args[0]:
        pytest.skip(_NEEDS[mechanism].kwargs["reason"])


def user_of(mechanism: str) -> int:
    """Who its commands are."""
    return {"bubblewrap": Identity.here().number, "landlock": PLAIN, "none": os.geteuid()}[mechanism]


def sandbox(mechanism: str) -> Sandbox:
    """The mechanism itself."""
    if mechanism == "bubblewrap":
        return Bubblewrap()
    if mechanism == "landlock":
        return Landlock(Identity.here(PLAIN))
    return NoSandbox()
