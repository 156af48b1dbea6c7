"""The proxy that the operator's machine itself goes through, where its environment names one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from recto.sandbox.door.destinations import Destination, of_url
from recto.sandbox.refusal import refusal


class Upstream(Struct, frozen=True):
    """A proxy's place, and what is sent as `Proxy-Authorization`; empty for none."""

    destination: Destination
    authorization: str = ""


class Upstreams(Struct, frozen=True):
    """The proxies for tunnels and for plain requests, and what is reached without them."""

    tunnels: Upstream | None = None
    plain: Upstream | None = None
    bypass: str = ""

    def towards(self, destination: Destination) -> Upstream | None:
        """The proxy on the way to a destination, None where there is none."""
        if _bypassed(destination, self.bypass):
            return None
        return self.tunnels if destination.tls else self.plain


def upstreams(environment: Mapping[str, str]) -> Upstreams:
    """What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in small letters first, as curl reads them.

    Raises SandboxError where one names a proxy that we do not speak to.
    """
    general = _value(environment, "all_proxy")
    return Upstreams(
        tunnels=_upstream("HTTPS_PROXY", _value(environment, "https_proxy") or general),
        plain=_upstream("HTTP_PROXY", _value(environment, "http_proxy") or general),
        bypass=_value(environment, "no_proxy"),
    )


def _bypassed(destination: Destination, bypass: str) -> bool:
    """Whether `NO_PROXY` names the host, with or without its port, or a domain that it is in; `*` is every host."""
    for word in bypass.lower().replace(",", " ").split():
        name = word.removeprefix("*").removeprefix(".")
        for said in (destination.host, destination.authority):
            if word == "*" or said == name or said.endswith(f".{name}"):
                return True
    return False


def _value(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper(), "")).strip()


def _upstream(variable: str, url: str) -> Upstream | None:
    if not url:
        return None
    destination = of_url(url if "://" in url else f"http://{url}")
    if destination is None:
        raise refusal(
            f"the proxy that `{variable}` or `ALL_PROXY` names is not reached by `http://` or `https://`; "
            "name one that is, or none"
        )
    user, _, password = urlsplit(url if "://" in url else f"http://{url}").netloc.rpartition("@")[0].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return Upstream(destination, f"Basic {base64.b64encode(pair).decode()}" if user else "")
