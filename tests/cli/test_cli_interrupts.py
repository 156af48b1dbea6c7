"""Ctrl-C and SIGTERM: when they interrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial

import pytest

from recto.cli.interrupts import Interrupts


def test_a_signal_that_comes_twice_at_once_interrupts_once() -> None:
    moments = iter([10.0, 10.0001, 10.05, 10.2])
    interrupts = Interrupts(lambda: next(moments))
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGTERM, None)
    interrupts(signal.SIGTERM, None)
    interrupts(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGINT, None)


@pytest.mark.parametrize(("handler", "told"), [(signal.SIG_IGN, "went on"), (signal.SIG_DFL, "interrupted")])
def test_a_process_that_was_started_to_ignore_ctrl_c_does(handler: signal.Handlers, told: str) -> None:
    program = """
import signal
from recto.cli.interrupts import take_interrupts
take_interrupts()
try:
    signal.raise_signal(signal.SIGINT)
    print("went on")
except KeyboardInterrupt:
    print("interrupted")
"""
    before = partial(signal.signal, signal.SIGINT, handler)
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, preexec_fn=before, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == f"{told}\n"
