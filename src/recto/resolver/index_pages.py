"""How long uv takes a page of the index as current.

Left to itself uv asks the index about each page that it has, and about each file of metadata where the index gives no
times with them: a second for a usual declaration, against 30 ms for the resolution itself. A page that was fetched
some minutes ago is as good for an answer that is then pinned for months. What belongs to a file of the index does not
change (PEP 658): metadata of a wheel that was read once is not asked for again.

uv has no argument for this, so it gets a settings file that we write, and reads no other.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import tomli_w

from recto.caching import keep_json
from recto.interpreters import Base
from recto.sandbox.base import Command, Limits, Sandbox

_NAME = "recto"
# A year, which is the longest that HTTP caches are asked to keep anything (RFC 9111).
_FILE_SECONDS = 31_536_000
_ASK_SECONDS = 30.0


def index_settings(url: str, page_seconds: int) -> str:
    """The text of a `uv.toml` with this index and no other; credentials are left out."""
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    control = {"api": f"max-age={page_seconds}", "files": f"max-age={_FILE_SECONDS}, immutable"}
    return tomli_w.dumps({"index": [{"name": _NAME, "url": plain, "default": True, "cache-control": control}]})


def credentials(url: str) -> dict[str, str]:
    """The variables that give uv the user and password of the address, if it has any."""
    parts = urlsplit(url)
    given = {"USERNAME": parts.username, "PASSWORD": parts.password}
    return {f"UV_INDEX_{_NAME.upper()}_{name}": unquote(value) for name, value in given.items() if value}


def default_index(uv: Path, base: Base, cache: Path, sandbox: Sandbox) -> str | None:
    """The address of the index that uv takes where it is told none, None where it does not tell.

    Asked once for each uv, and kept beside its cache; `base` is any interpreter, without which uv does nothing.
    """
    memory = cache.with_name("default-index.json")
    status = uv.stat()
    asked = [str(uv), status.st_size, status.st_mtime_ns]
    try:
        kept = json.loads(memory.read_bytes())
    except (FileNotFoundError, ValueError):
        kept = None
    match kept:
        case {"uv": list(of), "url": str(url)} if of == asked:
            return url
    # In a new data directory nobody has used it yet.
    cache.mkdir(parents=True, exist_ok=True)
    found = _ask(uv, base, cache, sandbox)
    if found is not None:
        # Not through a rename: whoever reads half of it asks for themselves.
        keep_json(memory, {"uv": asked, "url": found})
    return found


def _ask(uv: Path, base: Base, cache: Path, sandbox: Sandbox) -> str | None:
    quiet = ("--no-config", "--offline", "--no-cache")
    command = Command(
        argv=(str(uv), "pip", "compile", *quiet, "--emit-index-url", "--python", str(base.python), "-"),
        cwd=cache,
        environment={"LANG": "C.UTF-8"},
        read_only=(uv, base.prefix, *base.roots, cache),
        limits=Limits(wall_seconds=_ASK_SECONDS),
    )
    said = sandbox.run(command).stdout.decode("utf-8", "replace")
    found = re.search(r"^--index-url (\S+)$", said, re.MULTILINE)
    return None if found is None else found[1]
