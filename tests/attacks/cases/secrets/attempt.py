"""Looks for secrets of who started it, and of other processes of its user."""

import os

from trying import find, first_of, processes


def tries(given):
    secret, ours = given["secret"], [str(os.getppid()), "1"]

    def all_of(name):
        return first_of([find(secret, f"/proc/{number}/{name}") for number in processes()])

    return {
        "own environment": find(secret, "/proc/self/environ"),
        "environment of who started it": first_of([find(secret, f"/proc/{number}/environ") for number in ours]),
        "environments of processes": all_of("environ"),
        "arguments of processes": all_of("cmdline"),
    }
