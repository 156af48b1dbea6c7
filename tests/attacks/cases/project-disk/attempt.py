"""Fills the project with 100 MB, five times what it may add."""

import time


def fill():
    for number in range(100):
        with open(str(number), "wb") as file:
            file.write(bytes(1_000_000))
        # A watcher looks a few times a second; a disk that is filled at once is held by the size of files.
        time.sleep(0.01)


def tries(given):
    return {"files": fill}
