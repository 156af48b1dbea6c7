"""Who the gateway is for an index: the user and password of its address, or what the keyring holds."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit, urlunsplit

from recto.index.upstream import Upstream
from recto.problems import SettingsError, problem

_SECONDS_MAX = 30.0


def upstreams(urls: Sequence[str], path: str) -> tuple[Upstream, ...]:
    """The indexes at these addresses, named by their hosts, in their order.

    Where an address has a user and no password, the command `keyring` on `path` is asked, as uv and pip do. Raises
    SettingsError where it gives none: what would be refused at each request is refused at the start.
    """
    found: list[Upstream] = []
    for url in urls:
        parts = urlsplit(url)
        plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        name = str(parts.hostname)
        if any(one.name == name for one in found):
            name = f"{name}-{len(found) + 1}"
        found.append(Upstream(name, plain, _credentials(parts.username, parts.password, plain, path)))
    return tuple(found)


def _credentials(user: str | None, password: str | None, url: str, path: str) -> tuple[str, str] | None:
    if user is None:
        return None
    if password is not None:
        return unquote(user), unquote(password)
    return unquote(user), _from_keyring(url, unquote(user), path)


def _from_keyring(url: str, user: str, path: str) -> str:
    command = shutil.which("keyring", path=path)
    if command is None:
        raise _missing(url, user, "there is no command `keyring`")
    try:
        asked = subprocess.run(
            (command, "get", url, user), capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _missing(url, user, f"`keyring` does not answer ({type(error).__name__})") from error
    # One line, and nothing where it knows none.
    password = asked.stdout.rstrip("\n")
    if asked.returncode != 0 or not password:
        raise _missing(url, user, "`keyring` has none")
    return password


def _missing(url: str, user: str, reason: str) -> SettingsError:
    return SettingsError(problem("gateway-credentials-missing", url=url, user=user, reason=reason))
