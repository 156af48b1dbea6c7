"""Moments as a person types them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from recto.problems import SettingsError, problem

_AGO = re.compile(r"([0-9]{1,6})(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(option: str, text: str, now: datetime) -> datetime:
    """The moment that a duration before `now` (`90m`, `24h`, `7d`) or a date (`2026-11-26`, `2026-11-26T06:31Z`) names.

    Aware; a date without a time zone is in UTC. SettingsError (`setting-invalid`) for anything else, which names the
    option.
    """
    match = _AGO.fullmatch(text.strip())
    try:
        if match is not None:
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        named = datetime.fromisoformat(text.strip())
        return named.replace(tzinfo=UTC) if named.tzinfo is None else named.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        reason = "expected a duration such as `24h` or `7d`, or a date such as `2026-11-26` or `2026-11-26T06:31Z`"
        raise SettingsError(problem("setting-invalid", name=option, value=text, reason=reason)) from error
