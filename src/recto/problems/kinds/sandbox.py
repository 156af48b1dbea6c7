"""Kinds: what contains commands cannot do so."""

from recto.problems.kind import Kind, by_code

KINDS = by_code(
    Kind(
        "sandbox-unavailable",
        "sandbox",
        "A command cannot be contained as the settings ask; it was not run.",
        "Nothing was run, as it cannot be contained: {reason}.",
        "Install `bubblewrap` and let its user make namespaces, or set `RECTO_SANDBOX` to `landlock`, which is weaker, "
        "or to `none` for documents of your own. `recto doctor` says what is missing.",
        who="operator",
        example={"reason": "`bwrap` is not installed; install the package `bubblewrap`"},
    ),
    Kind(
        "builds-uncontained",
        "sandbox",
        "Packages are to be built from source where their code would not be contained.",
        "`RECTO_BUILDS=trusted` runs the build scripts of packages, which nothing would contain: {reason}.",
        "Set `RECTO_SANDBOX=bubblewrap` and an index without a password, or `RECTO_BUILDS=off`.",
        who="operator",
        example={"reason": "`RECTO_SANDBOX` is `none`, and only `bubblewrap` leaves them the index and nothing else"},
    ),
    Kind(
        "run-uncontained",
        "sandbox",
        "`recto run` was asked for where the settings ask for containment.",
        "`recto run` gives a command your own rights, and `RECTO_SANDBOX` asks for `{mechanism}`.",
        "For a project of your own, set `RECTO_SANDBOX=none` for this command.",
        who="operator",
        example={"mechanism": "bubblewrap"},
    ),
)
