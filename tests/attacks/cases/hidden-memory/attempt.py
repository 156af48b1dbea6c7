"""Takes 200 MB, twice what it may have, in files without a name, which no process's size shows."""

import os


def bomb():
    files = [os.memfd_create("x") for _ in range(40)]
    for file in files:
        os.write(file, bytes(5_000_000))


def tries(given):
    return {"files without a name": bomb}
