"""What installers need that are run behind a door: the index that they take by themselves, and certificates."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recto.interpreters import probe
from recto.resolver.index_pages import default_index
from recto.sandbox.none import NoSandbox


@pytest.fixture(scope="session")
def way() -> dict[str, str]:
    """The machine's own way to the index: its proxies and certificates."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    spellings = [*names, *(name.lower() for name in names)]
    return {name: os.environ[name] for name in spellings if name in os.environ}


@pytest.fixture(scope="session")
def default_index_url(uv: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The index that the installed uv takes where it is told none."""
    import sys

    cache = tmp_path_factory.mktemp("default") / "uv"
    cache.mkdir()
    found = default_index(uv, probe(Path(sys.executable)), cache, NoSandbox())
    assert found is not None
    return found
