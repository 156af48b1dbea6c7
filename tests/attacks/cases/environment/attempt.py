"""Writes to what a document reads: its environment, the interpreter, the programs of the system."""

import os

from trying import append


def tries(given):
    environment, interpreter, programs = given["environment"], given["interpreter"], given["programs"]
    return {
        "plant a `.pth`": append(f"{environment}/planted.pth"),
        "change a module": append(f"{environment}/own.py"),
        "by a descriptor": append(f"/proc/self/root{environment}/own.py"),
        "truncate": lambda: os.truncate(f"{environment}/own.py", 0),
        "change the interpreter": append(f"{interpreter}/os.py"),
        "change a program": append(f"{programs}/ls"),
        "remove": lambda: os.unlink(f"{interpreter}/os.py"),
        "rename": lambda: os.rename(environment, environment + "-away"),
    }
