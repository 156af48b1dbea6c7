"""Kinds: what a project declares cannot be read, or says what a declaration may not say."""

from recto.problems.kind import Kind, by_code

_FILE = {"file": "requirements.txt"}

KINDS = by_code(
    Kind(
        "invalid-requirement",
        "declaration",
        "A line cannot be parsed as a requirement.",
        "`{line}` is not a requirement: {reason}.",
        "Write a package name, then a version range if you need one, for example `{suggestion}`.",
        example={"line": "polars = 1.2", "reason": "a version needs `==`", "suggestion": "polars==1.2"},
    ),
    Kind(
        "declaration-option",
        "declaration",
        "A line sets an installer option, which only the operator may do.",
        "`{option}` is an installer option, and a declaration cannot set those.",
        "{instead}",
        example={"option": "--index-url", "instead": "Delete the line: the index is set by the operator."},
    ),
    Kind(
        "declaration-url",
        "declaration",
        "A line names an address, a repository or a path instead of a package of the index.",
        "`{line}` asks for {what}, and only packages of the index can be installed.",
        "{instead}",
        example={"line": "git+https://example.org/x", "what": "a git repository", "instead": "Write `x`."},
    ),
    Kind(
        "declaration-variable",
        "declaration",
        "A line contains `${NAME}`, which an installer would fill from the server's environment.",
        "`{variable}` would be filled from the server's environment.",
        "Write the value itself.",
        example={"variable": "${TOKEN}"},
    ),
    Kind(
        "declaration-include",
        "declaration",
        "A `-r` or `-c` line names a file that is outside the project, missing, nested too deep, or part of a circle.",
        "`{target}` cannot be included: {reason}.",
        "Include only files of this project, or write the requirements here.",
        example={"target": "../base.txt", "reason": "it lies outside the project"},
    ),
    Kind(
        "declaration-encoding",
        "declaration",
        "A file is not text in UTF-8 or UTF-16 with a byte order mark.",
        "`{file}` is not readable as text: {reason}.",
        "Save it as plain text in UTF-8.",
        example={**_FILE, "reason": "byte 0x93 at offset 12 is not UTF-8"},
    ),
    Kind(
        "declaration-too-large",
        "declaration",
        "A file, a line, or the number of lines or files is over the cap that is checked before parsing.",
        "`{file}` is too large: {size}, at most {most}.",
        "List only the packages that the documents import; what those need is found by itself.",
        example={**_FILE, "size": "10,485,760 bytes", "most": "262,144 bytes"},
    ),
    Kind(
        "declaration-syntax",
        "declaration",
        "A YAML or TOML file, or the front matter of a document, cannot be parsed.",
        "`{file}` cannot be read: {reason}.",
        "Mend the syntax at that place.",
        example={"file": "pyproject.toml", "reason": "expected `=` after a key"},
    ),
    Kind(
        "declaration-type",
        "declaration",
        "A key of the declaration has a value of the wrong type.",
        "`{key}` must be {expected}.",
        "For example: `{suggestion}`.",
        example={
            "key": "python.dependencies",
            "expected": "a list of requirements",
            "suggestion": "dependencies: [polars, duckdb]",
        },
    ),
    Kind(
        "declaration-lock",
        "declaration",
        "A `pylock.toml` of the project is invalid or holds something that is not a wheel of the index.",
        "`pylock.toml` cannot be used: {reason}.",
        "Export it again, for example with `uv export --format pylock.toml`, or delete it.",
        example={"reason": "packages[0].version is missing"},
    ),
    Kind(
        "stdlib-name",
        "declaration",
        "A line asks for a module that comes with Python.",
        "`{package}` comes with Python and needs no installing.",
        "Delete the line.",
        level="warning",
        example={"package": "pathlib"},
    ),
    Kind(
        "conda-export",
        "declaration",
        "A line has conda's form `name=version=build`.",
        "`{line}` is from a conda export.",
        "Write `{suggestion}`.",
        example={"line": "numpy=1.26.4=py311h64a7726_0", "suggestion": "numpy==1.26.4"},
    ),
)
