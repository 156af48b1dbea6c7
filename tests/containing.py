"""What tests of containment share."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from recto.sandbox.landlock.ruleset import LEAST_VERSION, version

needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="`bwrap` is not installed; `scripts/test` installs it where it may"
)
needs_landlock = pytest.mark.skipif(
    version() < LEAST_VERSION,
    reason=f"Landlock has version {version()} here, and the mechanism needs {LEAST_VERSION}",
)

# Landlock as this machine can have it: root becomes a plain user, and a plain user stays one.
IS_ROOT = os.geteuid() == 0
PLAIN = 65534 if IS_ROOT else os.geteuid()
# The interpreter of the tests may lie where a plain user cannot go.
PYTHON = "/usr/bin/python3" if IS_ROOT else sys.executable
