"""An index above the gateway that can do anything wrong: real HTTP on the loopback, answers by path."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/vnd.pypi.simple.v1+json"
Handle = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Above:
    """Pages by project, files by name; `handle` by path takes the place of an answer. `asked` is every request."""

    port: int = 0
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    handle: dict[str, Handle] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    etags: bool = True
    ranges: bool = True
    # Set when the test is over, for handlers that wait.
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple/"

    def add(self, project: str, filename: str, body: bytes = b"wheel", **more: object) -> str:
        """Publishes a file; returns its sha256. `more` replaces keys of its description; None takes one away."""
        digest = hashlib.sha256(body).hexdigest()
        entry: dict[str, object] = {
            "filename": filename,
            "url": f"../../files/{filename}",
            "hashes": {"sha256": digest},
            "size": len(body),
            "upload-time": "2026-01-15T12:00:00.123456Z",
            **{key.replace("_", "-"): value for key, value in more.items()},
        }
        page = self.pages.setdefault(project, {"meta": {"api-version": "1.4"}, "name": project, "files": []})
        page["files"].append({key: value for key, value in entry.items() if value is not None})
        self.files[f"/files/{filename}"] = body
        return digest

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(line.split()[1] == path for line in self.asked)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answers as an index does."""
        path = request.path
        if path in self.handle:
            self.handle[path](request)
        elif path in self.files:
            _file(request, self.files[path], ranges=self.ranges)
        elif (name := path.removeprefix("/simple/").rstrip("/")) in self.pages:
            _page(request, json.dumps(self.pages[name]).encode(), etags=self.etags)
        else:
            send(request, 404, b"")


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """One whole answer."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def _page(request: BaseHTTPRequestHandler, body: bytes, *, etags: bool) -> None:
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if etags and request.headers.get("If-None-Match") == etag:
        send(request, 304, b"")
    else:
        send(request, 200, body, Content_Type=JSON, **({"ETag": etag} if etags else {}))


def _file(request: BaseHTTPRequestHandler, body: bytes, *, ranges: bool) -> None:
    asked = request.headers.get("Range", "")
    if not ranges or not asked.startswith("bytes="):
        send(request, 200, body)
        return
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), int(last) + 1
    send(request, 206, body[start:end], Content_Range=f"bytes {start}-{end - 1}/{len(body)}")


@contextmanager
def above() -> Iterator[Above]:
    """A new index, reachable at its `url` until the end."""
    index = Above()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(f"{self.command} {self.path} {self.headers.get('Authorization', '')}")
            # The gateway may hang up on what it has read enough of.
            with suppress(BrokenPipeError, ConnectionResetError):
                index.answer(self)

        do_HEAD = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", index.port), Handler) as server:
        index.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield index
        finally:
            index.over.set()
            server.shutdown()
            thread.join()
