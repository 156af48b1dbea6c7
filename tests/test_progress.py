"""Events as values and as JSON."""

from __future__ import annotations

from typing import get_args

import pytest

from recto.cli.waiting import STEPS
from recto.progress import Event, Stage


def test_an_event_comes_back_from_its_json() -> None:
    event = Event("downloading", "polars", 3, 10, "bytes")
    assert Event.from_json(event.to_json()) == event


@pytest.mark.parametrize(
    "change", [{"event": "dancing"}, {"unit": "parsecs"}, {"done": "3"}, {"message": None}, {"more": 1}]
)
def test_what_is_no_event_is_not_taken_for_one(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an event"):
        Event.from_json({**Event("ready").to_json(), **change})


def test_every_stage_has_a_word_at_the_command_line() -> None:
    assert set(STEPS) == set(get_args(Stage))
