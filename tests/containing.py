"""What tests of containment share."""

from __future__ import annotations

import shutil

import pytest

needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="`bwrap` is not installed; `scripts/test` installs it where it may"
)
