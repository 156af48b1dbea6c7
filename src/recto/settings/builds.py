"""Where packages may be built from source."""

from __future__ import annotations

from urllib.parse import urlsplit

from recto.problems import SettingsError, problem
from recto.settings.model import Settings


def check_builds(settings: Settings) -> None:
    """Raises SettingsError (`builds-uncontained`) where nothing would contain build scripts, or they see a password.

    An installer has the index's password in its environment, which the scripts that it starts can read.
    """
    if settings.sandbox != "bubblewrap":
        reason = (
            f"`RECTO_SANDBOX` is `{settings.sandbox}`, and only `bubblewrap` leaves them the index and nothing else"
        )
    elif "@" in urlsplit(settings.index_url or "").netloc:
        reason = "the address of the index holds a password, which they could read"
    else:
        return
    raise SettingsError(problem("builds-uncontained", reason=reason))
