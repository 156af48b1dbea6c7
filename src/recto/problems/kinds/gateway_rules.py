"""Kinds: the rules of the index gateway, and the advisories that they go by."""

from recto.problems.kind import Kind, by_code

KINDS = by_code(
    Kind(
        "gateway-rules-unreadable",
        "gateway-rules",
        "The file with the gateway's rules is not TOML.",
        "The rules in `{file}` cannot be read: {reason}.",
        "Mend the file; `docs/guides/gateway-rules.md` has one to copy.",
        who="operator",
        example={"file": "rules.toml", "reason": "Invalid value (at line 3, column 9)"},
    ),
    Kind(
        "gateway-rule-invalid",
        "gateway-rules",
        "A rule of the gateway has a value that it cannot have, or there is no such rule.",
        "`{key}` cannot be `{value}`: {reason}.",
        "Write {example}.",
        who="operator",
        example={
            "key": "rules.minimum-age-days",
            "value": "soon",
            "reason": "it is a number of days",
            "example": "`minimum-age-days = 7`",
        },
    ),
    Kind(
        "advisories-unreadable",
        "gateway-rules",
        "The folder of advisories, or a file in it, cannot be read as OSV records.",
        "The advisories in `{file}` cannot be read: {reason}.",
        "Supply OSV records as `*.json`, or the archive of the ecosystem `PyPI` as `*.zip`.",
        who="operator",
        example={"file": "advisories/PYSEC-2026-1.json", "reason": "Object missing required field `id`"},
    ),
)
