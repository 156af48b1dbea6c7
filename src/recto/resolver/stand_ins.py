"""The base as a folder of wheels that hold metadata only, so that the resolver can choose what is already there.

```
FOLDER/DIGEST/NAME-VERSION-0base-py3-none-any.whl   one a distribution of the base; DIGEST of the base's state
FOLDER/DIGEST/base.json                             what was read of the base's metadata
```
With them a version that no index has (`2.13.0+cpu`, a distribution's own patch) is a candidate like any other, what
the base's packages require is what the installed ones say, and a release cut-off binds only what would be downloaded:
uv applies `--exclude-newer` to the index and not to such a folder (seen with uv 0.13.9). Nothing of them is installed:
their addresses never enter a lock.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from recto.interpreters import Base
from recto.interpreters.base import digest_of
from recto.resolver.installed import BaseDistribution

# Raised when the content changes: old folders are then not used.
FORMAT = 3

_DESCRIPTION = "base.json"

# The build tag keeps the file name apart from every file of the index.
_TAG = "0base-py3-none-any"
_WHEEL = "Wheel-Version: 1.0\nGenerator: recto\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class StandIns(Struct, frozen=True):
    """The `directory` with a stand-in for each distribution of the base, and what was read of them."""

    directory: Path
    distributions: tuple[BaseDistribution, ...]


def stand_ins(base: Base, folder: Path) -> StandIns:
    """Those of this base; made once, published by rename, shared by processes.

    Where there are none yet, the base's metadata are read, which takes a tenth of a second for a curated base.
    """
    directory = folder / f"{FORMAT}-{digest_of(base)}"
    try:
        return StandIns(directory, _described(directory / _DESCRIPTION))
    except (FileNotFoundError, ValueError):
        # Its imports take 20 ms, and only a base that is new here needs them.
        from recto.resolver.metadata import distributions

        installed = distributions(base)
    return StandIns(_made(directory, installed), installed)


def _described(file: Path) -> tuple[BaseDistribution, ...]:
    described = json.loads(file.read_bytes())
    if not isinstance(described, list):
        raise ValueError("not a description of a base")
    return tuple(map(BaseDistribution.from_json, described))


def _made(directory: Path, installed: Collection[BaseDistribution]) -> Path:
    folder = directory.parent
    texts = {_stem(distribution): _metadata(distribution) for distribution in installed}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="new-", ignore_cleanup_errors=True) as made:
        for stem, text in texts.items():
            _write(Path(made), stem, text)
        description = json.dumps([distribution.to_json() for distribution in installed])
        (Path(made) / _DESCRIPTION).write_text(description, encoding="utf-8")
        Path(made).chmod(0o755)
        try:
            Path(made).rename(directory)
        except OSError:
            # Another process was first: the digest says that it saw the same base.
            if not directory.is_dir():
                raise
    return directory


def _stem(distribution: BaseDistribution) -> str:
    return f"{distribution.name.replace('-', '_')}-{distribution.version}"


def _metadata(distribution: BaseDistribution) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {distribution.name}",
        f"Version: {distribution.version}",
        *(f"Provides-Extra: {extra}" for extra in distribution.extras),
        *(f"Requires-Dist: {text}" for texts in distribution.requires.values() for text in texts),
    ]
    return "\n".join(lines) + "\n"


def _write(directory: Path, stem: str, metadata: str) -> None:
    import zipfile

    with zipfile.ZipFile(directory / f"{stem}-{_TAG}.whl", "w") as wheel:
        for name, text in (("METADATA", metadata), ("WHEEL", _WHEEL), ("RECORD", "")):
            # A fixed date: equal stand-ins are equal files.
            wheel.writestr(zipfile.ZipInfo(f"{stem}.dist-info/{name}"), text)
