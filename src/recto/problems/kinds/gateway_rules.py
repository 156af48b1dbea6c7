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
    Kind(
        "gateway-without-index",
        "gateway-rules",
        "The gateway has no index to ask: none is set, and the installer's configuration names none.",
        "There is no index that the gateway could ask.",
        "Name one in `RECTO_GATEWAY_INDEXES`.",
        who="operator",
    ),
    Kind(
        "gateway-credentials-missing",
        "gateway-rules",
        "An index of the gateway wants a password, and there is none.",
        "There is no password of `{user}` for the index `{url}`: {reason}.",
        "Store it with `keyring set {url} {user}`, or write it into the address in `RECTO_GATEWAY_INDEXES`.",
        who="operator",
        example={"url": "https://mirror.example/simple", "user": "reader", "reason": "`keyring` has none"},
    ),
    Kind(
        "gateway-address",
        "gateway-rules",
        "The gateway cannot listen where it was told to.",
        "The gateway cannot listen at `{address}`: {reason}.",
        "Choose another address with `--host` and `--port`, or another file with `--socket`.",
        who="operator",
        example={"address": "127.0.0.1:8765", "reason": "Address already in use"},
    ),
)
