"""Kinds: the machine, its interpreters and files."""

from recto.problems.kind import Kind, by_code

KINDS = by_code(
    Kind(
        "externally-managed",
        "environment",
        "The system interpreter refuses installs.",
        "This Python belongs to the system and refuses installs.",
        "Declare the package in `requirements.txt` instead of installing it by hand.",
    ),
    Kind(
        "environment-missing",
        "environment",
        "There is no virtual environment or no such interpreter.",
        "There is no such Python or virtual environment: {reason}.",
        "Check which interpreter is meant.",
        who="operator",
        example={"reason": "Python 3.9 was not found"},
    ),
    Kind(
        "permission-denied",
        "environment",
        "The file system refused access.",
        "`{path}` may not be written or read here.",
        "Write into the project's own directory, or mend the permissions.",
        who="operator",
        example={"path": "/srv/recto"},
    ),
    Kind(
        "os-file-error",
        "environment",
        "A file is in use, or a path is missing because it is too long.",
        "A file operation failed: {reason}.",
        "Close programs that use the file; shorten the path.",
        who="operator",
        example={"reason": "the file is used by another process"},
    ),
    Kind(
        "disk-full",
        "environment",
        "There is no space left on the device.",
        "The disk is full.",
        "Free some space (`recto env prune`), then try again.",
        who="operator",
    ),
    Kind(
        "out-of-memory",
        "environment",
        "Memory is exhausted.",
        "The memory ran out.",
        "Work on less data at a time, or ask the operator for more memory.",
    ),
    Kind(
        "pip-broken",
        "environment",
        "The installer `pip` cannot run, or refuses to change itself.",
        "The installer `pip` does not work in this environment: {reason}.",
        "Make a fresh environment.",
        who="operator",
        example={"reason": "No module named pip"},
    ),
    Kind(
        "jupyter-missing",
        "environment",
        "The interpreter lacks jupyter or ipykernel.",
        "The interpreter lacks Jupyter's packages.",
        "Render with `recto render`, whose environments have them, or install `ipykernel` and `nbclient`.",
    ),
)
