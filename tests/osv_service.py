"""The three routes of OSV's service on the loopback, over real HTTP: what a door has to add to the answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from recto.index.advisories.collection import Advisories
from recto.index.advisories.query import answer_batch, answer_query, answer_record


@contextmanager
def serving(advisories: Advisories) -> Iterator[tuple[str, list[str]]]:
    """The address of a service over these advisories, and the paths that it is asked for."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, advisories, asked))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, advisories: Advisories, asked: list[str], *rest: object) -> None:
        self._advisories = advisories
        self._asked = asked
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        self._asked.append(self.path)
        answers: Mapping[str, Callable[[Advisories, object], object]] = {
            "/v1/query": answer_query,
            "/v1/querybatch": answer_batch,
        }
        # Whatever type is declared: `pip-audit` declares none.
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self._send(200, answers[self.path](self._advisories, json.loads(body)))
        except (KeyError, ValueError) as error:
            self._send(400, {"code": 3, "message": str(error)})

    def do_GET(self) -> None:
        self._asked.append(self.path)
        found = answer_record(self._advisories, self.path.removeprefix("/v1/vulns/"))
        self._send(200 if found else 404, found or {"code": 5, "message": "Bug not found."})

    def _send(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass
