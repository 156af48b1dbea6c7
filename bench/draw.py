"""Small sets of requirements drawn from the corpus of real files, the same ones each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_SEED = 7
_LINES_MAX = 6

# Known to be large or to need them: asking for their price would already take a minute each.
_GIANTS = ("torch", "tensorflow", "jax", "nvidia-", "pyspark", "triton", "vllm", "xgboost", "paddle", "mxnet", "keras")
_ON_GIANTS = ("accelerate", "bitsandbytes", "deepspeed", "fastai", "lightning", "peft", "pytorch", "sentence-", "timm")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The requirements files of a directory."""

    directory: Path

    def sets(self) -> Iterator[tuple[str, ...]]:
        """Sets of one to six lines of one file each, without end."""
        chance = random.Random(_SEED)
        files = [lines for path in sorted(self.directory.glob("*.txt")) if (lines := _lines(path))]
        if not files:
            raise RuntimeError(f"there are no requirements files in {self.directory}")
        while True:
            lines = chance.choice(files)
            yield tuple(sorted(chance.sample(lines, min(len(lines), chance.randint(1, _LINES_MAX)))))


def _lines(path: Path) -> list[str]:
    """The plain lines of a file, one for each package; what Recto would refuse is left out."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.partition(" #")[0].strip()
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        name = canonicalize_name(requirement.name)
        if requirement.url is None and not name.startswith((*_GIANTS, *_ON_GIANTS)):
            found[name] = text
    return list(found.values())


def corpus_beside(here: Path) -> Corpus:
    """The corpus of the project, which lies beside its repository."""
    return Corpus(here.parents[2] / "shared" / "corpus" / "requirements")
