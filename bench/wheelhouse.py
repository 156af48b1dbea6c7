"""A package index on the loopback with small wheels made on the spot, for sets of any size."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# About what a small pure package of the index has: ten modules of forty functions each.
_MODULES = 10
_FUNCTIONS = 40

# As public indexes have it: a file never changes, a page is current for ten minutes.
_FILE_AGE, _PAGE_AGE = "max-age=31536000, immutable, public", "max-age=600, public"

_PAGE = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """Answers by path: pages of PEP 691, wheels, and their metadata (PEP 714)."""

    answers: dict[str, tuple[str, bytes]]
    names: tuple[str, ...]

    @classmethod
    def of(cls, count: int) -> Wheelhouse:
        """So many packages that need nothing."""
        names = tuple(f"small-{number:03}" for number in range(count))
        answers: dict[str, tuple[str, bytes]] = {}
        for name in names:
            stem = f"{name.replace('-', '_')}-1.0"
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
            wheel = _wheel(name.replace("-", "_"), stem, metadata)
            file = {
                "filename": f"{stem}-py3-none-any.whl",
                "url": f"/files/{stem}-py3-none-any.whl",
                "hashes": {"sha256": hashlib.sha256(wheel).hexdigest()},
                "size": len(wheel),
                "upload-time": "2026-01-15T12:00:00Z",
                "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()},
            }
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": [file]}
            answers[f"/simple/{name}/"] = (_PAGE, json.dumps(page).encode())
            answers[str(file["url"])] = ("application/octet-stream", wheel)
            answers[f"{file['url']}.metadata"] = ("application/octet-stream", metadata)
        return cls(answers, names)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The URL of the index, reachable for the block."""
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                found = answers.get(self.path)
                kind, body = found or ("text/plain", b"")
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", _PAGE_AGE if kind == _PAGE else _FILE_AGE)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/simple/"
            finally:
                server.shutdown()
                thread.join()


def _wheel(module: str, stem: str, metadata: bytes) -> bytes:
    functions = "\n\n".join(
        f"def function_{number}(value: int = {number}) -> list[int]:\n"
        f'    """Numbers below the value."""\n'
        f"    return [one * {number} for one in range(value) if one % 2 == 0]"
        for number in range(_FUNCTIONS)
    )
    files = {f"{module}/__init__.py": b""}
    files |= {f"{module}/part_{part}.py": functions.encode() for part in range(_MODULES)}
    files[f"{stem}.dist-info/METADATA"] = metadata
    files[f"{stem}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{name},sha256={_digest(body)},{len(body)}" for name, body in files.items()]
    record.append(f"{stem}.dist-info/RECORD,,")
    files[f"{stem}.dist-info/RECORD"] = ("\n".join(record) + "\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, body in files.items():
            wheel.writestr(zipfile.ZipInfo(name), body)
    return packed.getvalue()


def _digest(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
