"""A package index on the loopback: real HTTP, the JSON form (PEP 691, 700, 714), wheels made on the spot."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote


@dataclass
class LoopbackIndex:
    """Projects and their files; with a `password`, the user `reader` must give it.

    About a name that is in `mute` it says nothing until it is `over`; about one in `broken` it has an error of its own.
    """

    port: int = 0
    password: str = ""
    with_hashes: bool = True
    with_sizes: bool = True
    projects: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    # Projects whose page is never sent.
    mute: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    # What the index says of a project as a whole (PEP 792).
    statuses: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        user = f"reader:{quote(self.password, safe='')}@" if self.password else ""
        return f"http://{user}127.0.0.1:{self.port}/simple/"

    def add(
        self,
        name: str,
        version: str,
        *requires: str,
        tag: str = "py3-none-any",
        uploaded: str = "2026-01-15T12:00:00Z",
        python: str | None = None,
        extras: tuple[str, ...] = (),
    ) -> str:
        """Publishes a wheel; returns its SHA-256."""
        stem = f"{name.replace('-', '_')}-{version}"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Python: {python}"] if python else []
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        metadata = ("\n".join(lines) + "\n").encode()
        return self._publish(name, f"{stem}-{tag}.whl", _wheel(stem, tag, metadata), uploaded, python, metadata)

    def add_wheel(self, wheel: Path) -> str:
        """Publishes a wheel that was made elsewhere, whatever is in it; returns its SHA-256."""
        name = wheel.name.split("-")[0]
        with zipfile.ZipFile(wheel) as archive:
            entry = next(inner for inner in archive.namelist() if inner.endswith(".dist-info/METADATA"))
            metadata = archive.read(entry)
        return self._publish(
            name.replace("_", "-"), wheel.name, wheel.read_bytes(), "2026-01-15T12:00:00Z", None, metadata
        )

    def add_source(self, name: str, version: str) -> None:
        """Publishes a source distribution only."""
        self._publish(name, f"{name}-{version}.tar.gz", b"source", "2026-01-15T12:00:00Z", None, None)

    def add_buildable(self, name: str, version: str, backend: str) -> None:
        """Publishes a source distribution that builds with the backend in it (PEP 517), which needs nothing else."""
        # Without a table `project`, from which installers take what they need to know without asking the backend.
        project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        files = {"pyproject.toml": project, "backend.py": backend}
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:gz") as archive:
            for path, text in files.items():
                member = tarfile.TarInfo(f"{name}-{version}/{path}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        self._publish(name, f"{name}-{version}.tar.gz", body.getvalue(), "2026-01-15T12:00:00Z", None, None)

    def withdraw(self, name: str, reason: str) -> None:
        """Yanks every release of the project (PEP 592)."""
        for entry in self.projects[name]:
            entry["yanked"] = reason or True

    def _publish(
        self, name: str, filename: str, body: bytes, uploaded: str, python: str | None, metadata: bytes | None
    ) -> str:
        digest = hashlib.sha256(body).hexdigest()
        entry: dict[str, object] = {
            "filename": filename,
            "url": f"../../files/{filename}",
            "hashes": {"sha256": digest} if self.with_hashes else {},
            **({"size": len(body)} if self.with_sizes else {}),
            "upload-time": uploaded,
        }
        if python:
            entry["requires-python"] = python
        if metadata is not None:
            entry["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
            self.bodies[f"/files/{filename}.metadata"] = metadata
        self.bodies[f"/files/{filename}"] = body
        self.projects.setdefault(name, []).append(entry)
        return digest

    def answer(self, path: str, authorization: str) -> tuple[int, bytes, str]:
        """Status, body and type for a GET."""
        expected = "Basic " + base64.b64encode(f"reader:{self.password}".encode()).decode()
        if self.password and authorization != expected:
            return 401, b"", "text/plain"
        self.asked.append(path)
        if path in self.bodies:
            return 200, self.bodies[path], "application/octet-stream"
        name = path.removeprefix("/simple/").strip("/")
        if name in self.mute:
            self.over.wait()
        if name in self.broken:
            return 500, b"", "text/plain"
        if name in self.projects:
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": self.projects[name]}
            if name in self.statuses:
                page["project-status"] = {"status": self.statuses[name]}
            return 200, json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json"
        return 404, b"", "text/plain"


@contextmanager
def serving(index: LoopbackIndex) -> Iterator[LoopbackIndex]:
    """The index, reachable at its `url` until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.removeprefix("/simple/").strip("/") in index.mute:
                index.asked.append(self.path)
                index.over.wait()
                return
            status, body, kind = index.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # Whoever asked may have given up.
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield index
        finally:
            index.over.set()
            server.shutdown()
            thread.join()


def _wheel(stem: str, tag: str, metadata: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as wheel:
        wheel.writestr(zipfile.ZipInfo(f"{stem}.dist-info/METADATA"), metadata)
        wheel.writestr(zipfile.ZipInfo(f"{stem}.dist-info/WHEEL"), f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(zipfile.ZipInfo(f"{stem}.dist-info/RECORD"), "")
    return body.getvalue()
