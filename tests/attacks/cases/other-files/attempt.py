"""Reads what belongs to other projects, to the user and to the machine."""

from pathlib import Path

from trying import find, first_of, processes


def tries(given):
    secret, netrc = f"{given['other project']}/secret", f"{given['home']}/.netrc"
    ways = [find(given["secret"], f"/proc/{number}/root{secret}") for number in processes()]
    return {
        "another project": find(given["secret"], secret),
        "home": find(given["secret"], netrc),
        "by the roots of processes": first_of(ways),
        "another environment": Path(given["other environment"], "linked.py").read_bytes,
        "cache": Path(given["cache"], "wheel.py").read_bytes,
        "`/etc/passwd`": find("daemon:", "/etc/passwd"),
        "names of files": Path(secret).stat,
    }
