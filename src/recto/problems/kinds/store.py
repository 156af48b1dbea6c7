"""Kinds: the data directory, and Recto itself."""

from recto.problems.kind import Kind, by_code

_KEY = {"key": "3f2a9c0d"}

KINDS = by_code(
    Kind(
        "data-dir-unwritable",
        "store",
        "The data directory cannot be made or written.",
        "The data directory `{path}` cannot be written: {reason}.",
        "Set `RECTO_DATA_DIR` to a directory that you may write.",
        who="operator",
        example={"path": "/srv/recto", "reason": "permission denied"},
    ),
    Kind(
        "store-full",
        "store",
        "The disk budget or the free-space floor leaves no room for another environment.",
        "There is no room for another environment: {needed} needed, {free} free.",
        "Free some space, unpin environments, or raise `RECTO_BUDGET`.",
        who="operator",
        example={"needed": "300 MB", "free": "20 MB"},
    ),
    Kind(
        "environment-in-use",
        "store",
        "An environment is in use and cannot be removed.",
        "The environment `{key}` is in use.",
        "Try again when the renders that use it have ended.",
        example=_KEY,
    ),
    Kind(
        "environment-unknown",
        "store",
        "No environment has that key, or several begin with it.",
        "No single environment has the key `{key}`.",
        "`recto env list` shows the keys.",
        example=_KEY,
    ),
    Kind(
        "store-wait",
        "store",
        "Another process builds the same environment and did not finish in time.",
        "Another process is still building these packages after {seconds} s.",
        "Try again in a minute.",
        who="nobody",
        example={"seconds": "600"},
    ),
    Kind(
        "store-busy",
        "store",
        "Another process is clearing the store and did not finish in time.",
        "Another process is still clearing the data directory after {seconds} s.",
        "Try again in a minute.",
        who="nobody",
        example={"seconds": "600"},
    ),
    Kind(
        "setting-invalid",
        "store",
        "A setting has a value that it cannot have.",
        "`{name}` cannot be `{value}`: {reason}.",
        "`docs/reference/settings.md` lists what each setting takes.",
        who="operator",
        example={"name": "RECTO_BUDGET", "value": "lots", "reason": "expected a size such as `20 GB`"},
    ),
    Kind(
        "cancelled",
        "store",
        "Somebody stopped it.",
        "Stopped.",
        "Start it again when you are ready.",
        who="nobody",
    ),
    Kind(
        "command-missing",
        "store",
        "The command to run cannot be started.",
        "`{command}` cannot be run: {reason}.",
        "Check the name; `recto run -- python -m NAME` runs a module of the environment.",
        example={"command": "pyhton", "reason": "No such file or directory"},
    ),
    Kind(
        "internal",
        "store",
        "A bug in Recto.",
        "Recto failed in a way that it should not: {reason}.",
        "Report it with the log, `{log}`.",
        who="maintainer",
        example={"reason": "KeyError: 'x'", "log": "recto-3f2a.log"},
    ),
)
