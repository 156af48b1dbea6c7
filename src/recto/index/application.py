"""The gateway by HTTP: PEP 503, 658 and 691, and what hides a file.

```
GET /simple/                               the projects that were asked for so far
GET /simple/NAME/                          a project's page, JSON or HTML
GET /files/NAME/SHA256/FILENAME            a file; with `.metadata` behind it, its metadata
GET /why/NAME/                             which files the operator's rules hide, and why
GET /health                                whether it serves
```

All these also below `/tenants/TENANT`, by the rules of that tenant. Beside them, for `pip-audit` and `uv audit`:

```
POST /v1/query  POST /v1/querybatch  GET /v1/vulns/ID    what the operator's advisories say (OSV)
```
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import canonicalize_name
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

from recto.index.accepting import form_for
from recto.index.advisories.collection import Advisories
from recto.index.audit import Audit
from recto.index.base import Decision
from recto.index.files import CHUNK_BYTES, Wanted
from recto.index.gateway import Gateway, Offered
from recto.index.html import project_html, projects_html
from recto.index.osv import osv_routes
from recto.index.page import JSON
from recto.index.ranges import Span, Unsatisfiable, span
from recto.index.recording import Recording
from recto.index.upstream import UpstreamError
from recto.problems import StoreError

_PAGE_CONTROL = "max-age=600"
_FILE_CONTROL = "max-age=31536000, immutable"
_METADATA = ".metadata"
_NOT_FOUND = 404
_BINARY = "application/octet-stream"


def application(gateway: Gateway, audit: Audit, advisories: Callable[[], Advisories]) -> Starlette:
    """The ASGI application of a gateway, which records what it does."""
    door = _Door(gateway, audit)
    routes = [
        Route("/simple/", door.projects, methods=["GET"]),
        Route("/simple/{name}", door.page, methods=["GET"]),
        Route("/simple/{name}/", door.page, methods=["GET"]),
        Route("/files/{name}/{sha256}/{filename}", door.file, methods=["GET"]),
        Route("/why/{name}/", door.why, methods=["GET"]),
    ]
    tenants = Mount("/tenants/{tenant}", Router(routes, redirect_slashes=False))
    app = Starlette(
        routes=[*routes, tenants, *osv_routes(advisories), Route("/health", door.health, methods=["GET"])],
        exception_handlers={UpstreamError: _upstream_error, StoreError: _unrecorded},
    )
    app.router.redirect_slashes = False
    return app


class _Door:
    """The routes."""

    def __init__(self, gateway: Gateway, audit: Audit) -> None:
        self._gateway = gateway
        self._audit = audit

    async def health(self, request: Request) -> Response:
        return _json({"status": "ok", "files": {"bytes": self._gateway.files.shelf.bytes}})

    async def projects(self, request: Request) -> Response:
        mapping = {"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in self._gateway.projects()]}
        body = msgspec.json.encode(mapping)
        return _formed(request, body, hashlib.sha256(body).hexdigest(), projects_html, {})

    async def page(self, request: Request) -> Response:
        recording = self._recording(request)
        try:
            told = await self._gateway.page(_tenant(request), request.path_params["name"])
        except UpstreamError as error:
            recording.failed(str(error))
            raise
        if told is None:
            recording.failed("no index has it")
            return _missing()
        if not told.there:
            recording.hidden()
            return _missing()
        recording.served()
        # What is not known to be current is asked for again as soon as the index is back.
        headers = {"Cache-Control": _PAGE_CONTROL if told.current else "no-cache"}
        return _formed(request, told.json, told.sha256, project_html, headers)

    async def file(self, request: Request) -> Response:
        name, sha256, filename = (request.path_params[key] for key in ("name", "sha256", "filename"))
        recording = self._recording(request)
        recording.about(filename, sha256, None)
        try:
            offered = await self._gateway.file(_tenant(request), name, sha256, filename.removesuffix(_METADATA))
            if offered is None:
                recording.failed("its page has no such file")
                return _missing()
            recording.about(filename, sha256, offered.file.size if filename == offered.file.filename else None)
            if not offered.decision.allowed:
                # A file that is hidden is not there, whoever knows its address.
                recording.hidden(offered.decision)
                return _missing(offered.decision)
            wants_file = filename == offered.file.filename
            response = await (self._bytes if wants_file else self._metadata)(request, offered)
        except UpstreamError as error:
            recording.failed(str(error))
            raise
        if response.status_code == _NOT_FOUND:
            recording.failed("its metadata is not known")
            return response
        try:
            recording.served(offered.decision)
        except StoreError:
            if isinstance(response, _Read):
                response.close()
            raise
        return response

    async def why(self, request: Request) -> Response:
        hidden = await self._gateway.why(_tenant(request), request.path_params["name"])
        if hidden is None:
            return _missing()
        return _json({"files": [{"filename": one.filename, **_reasons(one.decision)} for one in hidden]})

    def _recording(self, request: Request) -> Recording:
        client = request.client.host if request.client else "socket"
        name = str(canonicalize_name(request.path_params["name"]))
        return Recording(self._audit, _tenant(request), name, client, time.time)

    async def _metadata(self, request: Request, offered: Offered) -> Response:
        files, sha256 = self._gateway.files, offered.file.sha256
        assert sha256 is not None
        if (digest := offered.metadata_sha256) is not None:
            wanted = Wanted(offered.upstream, f"{offered.url}{_METADATA}", digest)
            return await self._sent(request, wanted, files.kept(digest))
        path = files.metadata(sha256)
        return _missing() if path is None else _whole(path, request)

    async def _bytes(self, request: Request, offered: Offered) -> Response:
        file = offered.file
        assert file.sha256 is not None
        wanted = Wanted(offered.upstream, offered.url, file.sha256, file.size, wheel=file.kind == "wheel")
        return await self._sent(request, wanted, self._gateway.files.kept(file.sha256))

    async def _sent(self, request: Request, wanted: Wanted, path: Path | None) -> Response:
        if path is not None and (response := _whole(path, request)).status_code != 404:
            return response
        files = self._gateway.files
        headers, asked = _file_headers(wanted.sha256), request.headers.get("Range")
        if request.method == "HEAD" or asked is not None:
            # An installer that looks for metadata: it wants the end of a wheel, and may want nothing else of it.
            size = await files.size(wanted)
            if request.method == "HEAD":
                return Response(headers={**headers, "Content-Length": str(size)}, media_type=_BINARY)
            try:
                part = span(asked, size)
            except Unsatisfiable:
                return _unsatisfiable(size)
            if part is not None and (body := await files.part(wanted, part)) is not None:
                return _part(body, part, size, headers)
        coming = await files.fetch(wanted)
        if coming.size is not None:
            headers["Content-Length"] = str(coming.size)
        return _Read(coming.descriptor, coming.bytes, 200, headers)


def _whole(path: Path, request: Request) -> Response:
    """A kept file or the part of it that is asked for; 404 where it went meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return _missing()
    size = os.fstat(descriptor).st_size
    headers = _file_headers(path.parent.name + path.name)
    try:
        part = span(request.headers.get("Range"), size)
    except Unsatisfiable:
        os.close(descriptor)
        return _unsatisfiable(size)
    if request.method == "HEAD":
        os.close(descriptor)
        return Response(headers={**headers, "Content-Length": str(size)}, media_type=_BINARY)
    if part is None and size <= CHUNK_BYTES:
        # Metadata most of all, of which a resolution asks for dozens: nothing to wait for, and nothing to clear up.
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return Response(file.read(), headers=headers, media_type=_BINARY)
    if part is None:
        headers["Content-Length"] = str(size)
        return _Read(descriptor, _pieces(descriptor, Span(0, size)), 200, headers)
    headers |= {"Content-Length": str(part.end - part.start), "Content-Range": part.content_range(size)}
    return _Read(descriptor, _pieces(descriptor, part), 206, headers)


async def _pieces(descriptor: int, part: Span) -> AsyncIterator[bytes]:
    """The bytes of an open file, which stays readable when it is taken off its shelf."""
    at = part.start
    while at < part.end and (piece := os.pread(descriptor, min(CHUNK_BYTES, part.end - at), at)):
        at += len(piece)
        yield piece


class _Read(StreamingResponse):
    """What is read from a descriptor, which is closed when all was sent, or nobody wants more, or nobody ever did."""

    def __init__(self, descriptor: int, pieces: AsyncIterator[bytes], status: int, headers: Mapping[str, str]) -> None:
        super().__init__(pieces, status, headers, _BINARY)
        self._descriptor = descriptor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.close()

    def close(self) -> None:
        """Gives the file back, sent or not; once."""
        os.close(self._descriptor)


def _part(body: bytes, part: Span, size: int, headers: Mapping[str, str]) -> Response:
    return Response(body, 206, {**headers, "Content-Range": part.content_range(size)}, _BINARY)


def _unsatisfiable(size: int) -> Response:
    return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})


def _file_headers(etag: str) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": _FILE_CONTROL,
        "ETag": f'"{etag}"',
        "X-Content-Type-Options": "nosniff",
    }


def _formed(
    request: Request, body: bytes, sha256: str, html: Callable[[Mapping[str, Any]], str], headers: Mapping[str, str]
) -> Response:
    """A page, whose JSON and its digest these are, in the form that is wanted; 304 where the client has it."""
    form = form_for(request.headers.get("Accept", ""))
    if form is None:
        return Response("There is this page in JSON and HTML (PEP 691).\n", 406, media_type="text/plain")
    if form != JSON:
        body = html(msgspec.json.decode(body)).encode()
        sha256 = hashlib.sha256(body).hexdigest()
    etag = f'"{sha256}"'
    headers = {**headers, "ETag": etag, "Vary": "Accept"}
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "Content-Type": form if form == JSON else f"{form}; charset=utf-8"})


def _tenant(request: Request) -> str:
    return str(request.path_params.get("tenant", ""))


def _missing(decision: Decision | None = None) -> Response:
    content = {"detail": "not found", **({} if decision is None else _reasons(decision))}
    return _json(content, _NOT_FOUND)


def _reasons(decision: Decision) -> dict[str, object]:
    found = [{"rule": one.rule, "reason": one.reason, "blocks": one.blocks} for one in decision.findings]
    return {"hidden": not decision.allowed, "findings": found}


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _upstream_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, UpstreamError)
    return _json({"detail": f"{error}"}, 504 if error.late else 502)


async def _unrecorded(request: Request, error: Exception) -> Response:
    """What the operator's log cannot tell of is not done."""
    assert isinstance(error, StoreError)
    return _json({"detail": error.problems[0].message}, 503)
