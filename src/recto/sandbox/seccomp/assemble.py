"""Rules to the program that the kernel runs before each system call: classic BPF (Linux, filter.rst, seccomp(2)).

```
load the architecture; another one: kill
load the number; of another ABI, or newer than the rules: ENOSYS
for each call of each rule: the number is this call's, and all conditions hold: the rule's error
allow
```
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence
from functools import cache

from recto.sandbox.refusal import refusal
from recto.sandbox.seccomp.numbers import CALLS, NEWEST
from recto.sandbox.seccomp.rules import RULES, Condition, Rule

# struct sock_filter of linux/filter.h: code, where to jump if true and if false, and a constant.
INSTRUCTION = struct.Struct("=HBBI")
# linux/bpf_common.h.
LOAD, JUMP_EQUAL, JUMP_ABOVE, AND, RETURN = 0x20, 0x15, 0x25, 0x54, 0x06
# struct seccomp_data of linux/seccomp.h; both architectures are little-endian, so the lower half comes first.
NUMBER, ARCHITECTURE, ARGUMENTS, ARGUMENT_BYTES = 0, 4, 16, 8
KILL, ERROR, ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000


# Names as uname(2) has them, and AUDIT_ARCH_* of linux/audit.h, under which the kernel announces a call. On x86_64,
# calls of the x32 ABI come under the same with bit 30 of their number set, so far above the newest.
ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}

_Instruction = tuple[int, int, int, int]


@cache
def program(machine: str, rules: Sequence[Rule] = RULES) -> bytes:
    """The array of `struct sock_filter` for `bwrap --seccomp`, or for prctl(2) with its length in front.

    `machine` is named as `uname -m` names it. Raises SandboxError where it is not known.
    """
    if machine not in ARCHITECTURES:
        known = " and ".join(f"`{name}`" for name in ARCHITECTURES)
        raise refusal(
            f"There is no filter of system calls for the architecture `{machine}`, only for {known}: "
            "run the service on one of these."
        )
    instructions = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (JUMP_ABOVE, 0, 1, NEWEST),
        (RETURN, 0, 0, ERROR | errno.ENOSYS),
    ]
    for rule in rules:
        for call in rule.calls:
            number: int | None = getattr(CALLS[call], machine)
            if number is not None:
                instructions += _refusal(number, rule)
    instructions.append((RETURN, 0, 0, ALLOW))
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in instructions)


def _refusal(number: int, rule: Rule) -> list[_Instruction]:
    """Returns the error, or falls through with the number loaded."""
    refused: list[_Instruction] = [(RETURN, 0, 0, ERROR | rule.error)]
    if not rule.conditions:
        return [(JUMP_EQUAL, 0, 1, number), *refused]
    # From the last to the first: a condition that does not hold jumps over all that follows.
    for condition in reversed(rule.conditions):
        refused = [*_condition(condition, len(refused)), *refused]
    return [(JUMP_EQUAL, 0, len(refused) + 1, number), *refused, (LOAD, 0, 0, NUMBER)]


def _condition(condition: Condition, beyond: int) -> list[_Instruction]:
    """Falls through where it holds, else jumps over `beyond` further instructions."""
    load = [(LOAD, 0, 0, ARGUMENTS + ARGUMENT_BYTES * condition.argument), (AND, 0, 0, condition.mask)]
    last = len(condition.values) - 1
    compare = []
    for index, value in enumerate(condition.values):
        here = last - index
        if condition.among:
            compare.append((JUMP_EQUAL, here, beyond if index == last else 0, value))
        else:
            compare.append((JUMP_EQUAL, here + beyond, 0, value))
    return [*load, *compare]
