"""What an installer inside sees of the way to the index: an address on its own loopback, and whom to believe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_PROXIES = ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "ftp_proxy")
# For uv and Python's ssl, for pip, and for requests below it.
_FILES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_DIRECTORIES = "SSL_CERT_DIR"
# Where distributions keep them, links among them lead to.
_USUAL = ("/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/usr/share/ca-certificates")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")


def seen_inside(environment: Mapping[str, str], port: int) -> dict[str, str]:
    """An installer's environment with the door at this port of the loopback as its only proxy.

    What the machine's own proxies are, with their passwords, is left out. Where no variable says whom to believe, the
    machine's certificates are named: an installer of which only parts of the machine can be seen does not find them.
    """
    kept = {name: value for name, value in environment.items() if name.lower() not in _PROXIES}
    address = f"http://127.0.0.1:{port}"
    # In both spellings: curl and others take `http_proxy` in small letters only.
    ways = {spelling: address for name in _PROXIES[:3] for spelling in (name, name.upper())}
    return {**_believed(kept), **kept, **ways}


def certificates(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The files and directories of certificates that are there and are to be shown, read-only.

    Those that the environment names, with what they are links to, and those of the machine.
    """
    named = [environment[name] for name in _FILES if environment.get(name)]
    named += environment.get(_DIRECTORIES, "").split(os.pathsep)
    found: dict[Path, None] = {}
    for text in (*named, *_USUAL):
        path = Path(text)
        if text and path.is_absolute() and path.exists():
            found[path] = None
            found[path.resolve()] = None
    return tuple(found)


def _believed(environment: Mapping[str, str]) -> dict[str, str]:
    bundle = environment.get("SSL_CERT_FILE") or next((one for one in _BUNDLES if Path(one).is_file()), None)
    if bundle is None:
        return {}
    return {"SSL_CERT_FILE": bundle, "PIP_CERT": environment.get("REQUESTS_CA_BUNDLE", bundle)}
