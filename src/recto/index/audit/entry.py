"""One answer of the gateway, as it is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from recto.problems.diagnosis.redact import redacted

# What a line means; a change of it is a new number, and lines of another are left out by readers.
SCHEMA: Final = 1

# Bytes that a text may take in a line, in JSON's escapes. With all of them used up a line has less than 4 kB.
_TEXT_BYTES_MAX = 256
_CUT = "…"

# How much of a text is searched for credentials: much more than is kept, so that none is cut in two and then shown.
_LOOK_CHARACTERS = 4096

# The longest line that can be ours.
LINE_BYTES_MAX = 4096

# What a client or an upstream can choose freely. The names of people and tenants are the host's, and may look like
# credentials (`user:ann@example.org`).
_FREE = frozenset({"package", "file", "reason", "rule", "client"})

Verdict = Literal["served", "hidden", "refused", "failed"]


class Entry(Struct, frozen=True):
    """Who got which file, or did not, and why.

    `when` is aware. `served` means that the file was handed out; `hidden` that a rule speaks against it; `refused`
    that this request may not be made; `failed` that the index or the disk did not play its part. `project` is the
    document project, `declaration` the digest of what it declares, `package` the normalised name, `rule` and `reason`
    those of the finding. `bytes` is the size of what is handed out. `client` is an address or the name of a socket.
    Never a URL: one may hold a password. Empty is what is not known. ValueError for a naive `when`.
    """

    when: datetime
    verdict: Verdict
    tenant: str = ""
    subject: str = ""
    project: str = ""
    declaration: str = ""
    package: str = ""
    file: str = ""
    sha256: str = ""
    bytes: int | None = None
    rule: str = ""
    reason: str = ""
    client: str = ""
    request: str = ""
    schema: Literal[1] = SCHEMA

    def __post_init__(self) -> None:
        if self.when.tzinfo is None:
            raise ValueError("the time of an entry needs a time zone")


def line(entry: Entry) -> bytes:
    """The entry as one line of ASCII with its line end: at most 4,096 bytes, whatever its texts hold.

    Escaped are not only the characters that JSON must escape but all that are not printable ASCII, so that neither a
    line end nor what steers a terminal gets in.
    """
    return json.dumps(fields(entry), separators=(",", ":")).encode() + b"\n"


def fields(entry: Entry) -> dict[str, str | int | None]:
    """What the log holds of the entry, as JSON has it: texts without credentials, long ones cut with an ellipsis."""
    texts = {
        name: _kept(redacted(value[:_LOOK_CHARACTERS]) if name in _FREE else value)
        for name, value in msgspec.structs.asdict(entry).items()
        if isinstance(value, str)
    }
    # A client may claim any number; one that no file can have is not known.
    size = entry.bytes if entry.bytes is not None and 0 <= entry.bytes < 2**63 else None
    when = entry.when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"schema": SCHEMA, "when": when, **texts, "bytes": size}


def _kept(text: str) -> str:
    """The text, or as much of its beginning as may stay. Halves of surrogate pairs are written out: JSON has none."""
    # Most are so, and a character then takes two bytes at most.
    if len(text) <= _TEXT_BYTES_MAX // 2 and text.isascii() and text.isprintable():
        return text
    text = text[: _TEXT_BYTES_MAX + 1].encode("utf-8", "backslashreplace").decode()
    if len(text) <= _TEXT_BYTES_MAX and _escaped_bytes(text) <= _TEXT_BYTES_MAX:
        return text
    room, kept = _TEXT_BYTES_MAX - _escaped_bytes(_CUT), []
    for character in text:
        room -= _escaped_bytes(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + _CUT


def _escaped_bytes(text: str) -> int:
    return len(json.dumps(text)) - 2
