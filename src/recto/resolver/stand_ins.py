"""The base as a folder of wheels that hold metadata only, so that the resolver can choose what is already there.

```
FOLDER/DIGEST/NAME-VERSION-0base-py3-none-any.whl   one a distribution of the base; DIGEST of the base's state
```
With them a version that no index has (`2.13.0+cpu`, a distribution's own patch) is a candidate like any other, what
the base's packages require is what the installed ones say, and a release cut-off binds only what would be downloaded:
uv applies `--exclude-newer` to the index and not to such a folder (seen with uv 0.13.9). Nothing of them is installed:
their addresses never enter a lock.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from recto.interpreters import Base
from recto.interpreters.base import digest_of
from recto.resolver.installed import BaseDistribution

# Raised when the content changes: old folders are then not used.
FORMAT = 2

# The build tag keeps the file name apart from every file of the index.
_TAG = "0base-py3-none-any"
_WHEEL = "Wheel-Version: 1.0\nGenerator: recto\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def stand_ins(base: Base, installed: Callable[[], Iterable[BaseDistribution]], folder: Path) -> Path:
    """The directory with a stand-in for each distribution; made once, published by rename, shared by processes.

    `installed` reads the base's metadata, a tenth of a second, and is asked only where there is no directory yet.
    """
    directory = folder / f"{FORMAT}-{digest_of(base)}"
    if directory.is_dir():
        return directory
    texts = {_stem(distribution): _metadata(distribution) for distribution in installed()}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="new-", ignore_cleanup_errors=True) as made:
        for stem, text in texts.items():
            _write(Path(made), stem, text)
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
        *(f"Requires-Dist: {requirement}" for requirement in distribution.requires),
    ]
    return "\n".join(lines) + "\n"


def _write(directory: Path, stem: str, metadata: str) -> None:
    with zipfile.ZipFile(directory / f"{stem}-{_TAG}.whl", "w") as wheel:
        for name, text in (("METADATA", metadata), ("WHEEL", _WHEEL), ("RECORD", "")):
            # A fixed date: equal stand-ins are equal files.
            wheel.writestr(zipfile.ZipInfo(f"{stem}.dist-info/{name}"), text)
