"""Takes 200 MB of memory, twice what it may have. Bounded: it ends with it."""


def tries(given):
    return {"memory": lambda: bytearray(b"x") * 200_000_000}
