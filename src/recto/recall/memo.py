"""Memos: an answer and its evidence, in one file.

The file is its own digest, a line end, and texts between null bytes: the digest of the question, the answer's three,
then three for each piece of evidence. It is written in place, and nothing waits for the disk: a torn one, or one that
two processes wrote at once, does not have its own digest, and is a miss.
"""

from __future__ import annotations

import os

from recto.recall.evidence import holds
from recto.recall.question import digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from recto.recall.evidence import Evidence
    from recto.recall.question import Question

# More than this is not kept: a memo of 30 files, each by a path of 4,096 bytes, has half of it.
_MAX_BYTES = 262_144


class Answer:
    """What was given: the environment at `prefix`, its `python`, and `more` that goes with it, as JSON or empty."""

    __slots__ = ("more", "prefix", "python")

    def __init__(self, python: str, prefix: str, more: str) -> None:
        self.python = python
        self.prefix = prefix
        self.more = more


def recalled(question: Question) -> Answer | None:
    """The answer that was given to this question, if everything that it depends on is as it was."""
    texts = _texts(question.memo)
    if len(texts) < 4 or texts[0] != question.digest or len(texts) % 3 != 1:
        return None
    _, python, prefix, more = texts[:4]
    evidence = zip(texts[4::3], texts[5::3], texts[6::3], strict=True)
    return Answer(python, prefix, more) if holds(evidence, question.root) else None


def remember(question: Question, answer: Answer, evidence: Iterable[Evidence]) -> None:
    """Keeps the answer for the next time; does nothing where it is too much to keep. Raises OSError."""
    texts = [question.digest, answer.python, answer.prefix, answer.more]
    for piece in evidence:
        texts += piece
    body = os.fsencode("\0".join(texts))
    if len(body) > _MAX_BYTES or len(texts) != body.count(b"\0") + 1:
        return
    os.makedirs(os.path.dirname(question.memo), exist_ok=True)  # noqa: PTH103, PTH120
    descriptor = os.open(question.memo, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{digest_of(body)}\n".encode() + body)
    finally:
        os.close(descriptor)


def forget(question: Question) -> None:
    """Makes the next time a miss. Raises OSError."""
    if _texts(question.memo)[:1] == [question.digest]:
        os.unlink(question.memo)  # noqa: PTH108


def _texts(path: str) -> list[str]:
    """The texts of a whole memo; none where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, _MAX_BYTES + 64)
        finally:
            os.close(descriptor)
    except OSError:
        return []
    digest, _, body = data.partition(b"\n")
    return os.fsdecode(body).split("\0") if digest == digest_of(body).encode() else []
