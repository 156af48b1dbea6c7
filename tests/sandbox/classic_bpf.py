"""What the kernel makes of a filter of system calls: classic BPF, as Linux' filter.rst has it, on `seccomp_data`."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_SIZE = 8
_DATA = struct.Struct("<iIQ6Q")


def evaluate(program: bytes, architecture: int, number: int, arguments: Sequence[int] = ()) -> int:
    """What the program returns for a call; ValueError for what the kernel would not take or that does not end."""
    if len(program) % _SIZE or not 0 < len(program) // _SIZE <= 4096:
        raise ValueError("not a program")
    signed = number - (1 << 32) if number >= 1 << 31 else number
    data = _DATA.pack(signed, architecture, 0, *arguments, *(0 for _ in range(6 - len(arguments))))
    accumulator = at = 0
    while at < len(program) // _SIZE:
        code, if_true, if_false, constant = struct.unpack_from("=HBBI", program, at * _SIZE)
        at += 1
        match code:
            case 0x20:  # A = data[k], a whole and aligned word of it
                if constant % 4 or constant >= len(data):
                    raise ValueError("a load outside of the data")
                (accumulator,) = struct.unpack_from("<I", data, constant)
            case 0x54:  # A &= k
                accumulator &= constant
            case 0x15:  # A == k
                at += if_true if accumulator == constant else if_false
            case 0x25:  # A > k
                at += if_true if accumulator > constant else if_false
            case 0x06:
                return int(constant)
            case _:
                raise ValueError(f"the operation {code:#x} is not used by filters of ours")
    raise ValueError("no return")
