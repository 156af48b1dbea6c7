"""What a child waits in until its limits are in force."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from recto.sandbox.refusal import refusal, require_program

# It begins when it is told to, never when nobody is left to tell it. A `read` takes one line and not a byte more of a
# pipe (POSIX), so that the rest of the input is the command's.
_WAIT = 'read -r recto_word || exit 125; unset recto_word {added}; exec "$@" {redirected}'
# What shells add to the environment of what they start.
_ADDED = ("PWD", "OLDPWD", "SHLVL")


def gated(argv: tuple[str, ...], environment: Mapping[str, str], stdin: bytes) -> tuple[str, ...]:
    """The words of a process that waits for `let_in`, then becomes `argv` with the same process id.

    Raises FileNotFoundError or PermissionError where argv[0] cannot be run, which the waiting process could only say
    in words.
    """
    require_program(argv[0], environment)
    added = " ".join(name for name in _ADDED if name not in environment)
    wait = _WAIT.format(added=added, redirected="" if stdin else "</dev/null")
    return ("/bin/sh", "-c", wait, "sh", *argv)


def let_in(child: subprocess.Popen[bytes], stdin: bytes) -> None:
    """Lets a process that waits begin; raises SandboxError where it has ended."""
    assert child.stdin is not None
    try:
        child.stdin.write(b"\n")
    except BrokenPipeError as error:
        raise refusal("the process that was to become the command ended before it began") from error
    if not stdin:
        child.stdin.close()
