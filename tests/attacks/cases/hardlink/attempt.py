"""Reaches other environments and the cache through a file that they share with the environment that is shown."""

import os

from trying import append


def tries(given):
    linked = f"{given['environment']}/linked.py"
    return {
        "append": append(linked),
        "truncate": lambda: os.truncate(linked, 0),
        "another name": lambda: os.link(linked, "linked.py"),
        "mode": lambda: os.chmod(linked, 0o777),
        "times": lambda: os.utime(linked, (0, 0)),
    }
