"""Kinds: the audit log of the gateway."""

from recto.problems.kind import Kind, by_code

_PATH = {"path": "/srv/recto/v1/audit"}

KINDS = by_code(
    Kind(
        "audit-unwritable",
        "audit",
        "An answer of the gateway could not be recorded, so it was not given.",
        "The audit log `{path}` cannot be written: {reason}.",
        "Make room or give access; without a log the gateway hands nothing out unless `RECTO_AUDIT` is `off`.",
        who="operator",
        example={"path": "/srv/recto/v1/audit/audit.jsonl", "reason": "No space left on device"},
    ),
    Kind(
        "audit-unreadable",
        "audit",
        "A file of the audit log cannot be read.",
        "The audit log in `{path}` cannot be read: {reason}.",
        "Read it as the user of the gateway, with the same `RECTO_DATA_DIR`.",
        who="operator",
        example={**_PATH, "reason": "Permission denied"},
    ),
)
