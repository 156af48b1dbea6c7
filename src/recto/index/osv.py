"""The operator's advisories by HTTP, in the shape of OSV's service, so that auditors can ask here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recto.index.advisories.collection import Advisories
from recto.index.advisories.query import answer_batch, answer_query, answer_record

# A thousand questions have some hundred kilobytes.
_BODY_BYTES_MAX = 1_000_000


def osv_routes(advisories: Callable[[], Advisories]) -> list[Route]:
    """The routes of the service, over the advisories that are known when they are asked."""

    async def query(request: Request) -> Response:
        return await _answered(request, lambda asked: answer_query(advisories(), asked))

    async def batch(request: Request) -> Response:
        return await _answered(request, lambda asked: answer_batch(advisories(), asked))

    async def record(request: Request) -> Response:
        found = answer_record(advisories(), request.path_params["identifier"])
        return _json({"code": 5, "message": "there is no such advisory"}, 404) if found is None else _json(found)

    return [
        Route("/v1/query", query, methods=["POST"]),
        Route("/v1/querybatch", batch, methods=["POST"]),
        Route("/v1/vulns/{identifier}", record, methods=["GET"]),
    ]


async def _answered(request: Request, answer: Callable[[object], dict[str, Any]]) -> Response:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _BODY_BYTES_MAX:
            return _json({"code": 3, "message": "the question is too long"}, 413)
    try:
        # Beside the loop: a thousand questions take a while.
        return _json(await asyncio.to_thread(lambda: answer(msgspec.json.decode(body))))
    except (ValueError, RecursionError) as error:
        return _json({"code": 3, "message": str(error)}, 400)


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
