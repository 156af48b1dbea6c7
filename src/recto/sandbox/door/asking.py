"""A page of an index, asked for as the machine asks: its proxies, its certificates, the credentials of the address."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPMessage
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from recto.sandbox.door.destinations import of_url
from recto.sandbox.door.pages import ACCEPTED
from recto.sandbox.door.upstream import Upstreams

_SECONDS = 30.0
# The pages of projects with the most files have 30 MB.
_BYTES_MAX = 64_000_000


class Page(Struct, frozen=True):
    """What an index answered, and the address that it was found at in the end, without credentials."""

    body: bytes
    kind: str
    url: str


def page(url: str, upstreams: Upstreams, tls: ssl.SSLContext) -> Page | None:
    """The page at an address, None where the index has none.

    It is looked for at the index's own host only, wherever that host sends us. Raises OSError or HTTPException where
    the index cannot be reached or does not speak HTTP.
    """
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(plain, headers={"Accept": ACCEPTED, **_authorization(url)})
    try:
        with _opener(upstreams, tls).open(request, timeout=_SECONDS) as answer:
            return Page(answer.read(_BYTES_MAX), answer.headers.get("Content-Type", ""), answer.url)
    except urllib.error.HTTPError as error:
        error.close()
        return None


def trust(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Whom the machine believes: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else what the system has.

    Raises OSError where the file or the directory is not one of certificates.
    """
    file, directory = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    return ssl.create_default_context(cafile=file or None, capath=directory or None)


def _authorization(url: str) -> Mapping[str, str]:
    parts = urlsplit(url)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _opener(upstreams: Upstreams, tls: ssl.SSLContext) -> urllib.request.OpenerDirector:
    """HTTP and nothing else: an index does not send us to files of the machine."""
    opener = urllib.request.OpenerDirector()
    opener.add_handler(_Way(upstreams))
    opener.add_handler(_SameHost())
    opener.add_handler(urllib.request.HTTPHandler())
    opener.add_handler(urllib.request.HTTPSHandler(context=tls))
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    opener.add_handler(urllib.request.HTTPDefaultErrorHandler())
    return opener


class _Way(urllib.request.BaseHandler):
    """Leads each request through the proxy on its way."""

    # Before those that connect.
    handler_order = 100

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams

    def _lead(self, request: urllib.request.Request) -> None:
        destination = of_url(request.full_url)
        upstream = destination and self._upstreams.towards(destination)
        if upstream:
            if upstream.authorization:
                request.add_unredirected_header("Proxy-Authorization", upstream.authorization)
            request.set_proxy(upstream.destination.authority, "https" if upstream.destination.tls else "http")

    http_open = https_open = _lead


class _SameHost(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        before, after = of_url(req.full_url), of_url(newurl)
        if before is None or after is None or before.host != after.host or (before.tls and not after.tls):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)
