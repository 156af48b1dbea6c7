"""No pattern of the diagnosis can be made to try again and again: read from how the patterns are built."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import recto.problems.diagnosis
from recto.problems.diagnosis.finding import Rule

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def _patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern that a module of the room holds, by itself or in a rule, with the module that holds it."""
    found = {}
    for module in pkgutil.iter_modules(recto.problems.diagnosis.__path__):
        for held in vars(importlib.import_module(f"recto.problems.diagnosis.{module.name}")).values():
            for one in held if isinstance(held, tuple) else (held,):
                pattern = one.pattern if isinstance(one, Rule) else one
                if isinstance(pattern, re.Pattern):
                    found[f"{module.name} {pattern.pattern}"] = pattern
    return found


def _parts(operation: Any, argument: Any) -> list[Any]:
    """The patterns inside of one operation, an atomic group's left out: what it took is never given back."""
    if operation in _REPEATS:
        return [argument[2]]
    if operation is _constants.SUBPATTERN:
        return [argument[3]]
    if operation is _constants.BRANCH:
        return list(argument[1])
    return [argument[1]] if operation in (_constants.ASSERT, _constants.ASSERT_NOT) else []


def _varying(pattern: Any) -> Iterator[Any]:
    """The repeats in the pattern that can take more or less of a text, at any depth."""
    for operation, argument in pattern:
        if operation in _REPEATS and argument[0] != argument[1] and argument[1] > 1:
            yield argument
        for part in _parts(operation, argument):
            yield from _varying(part)


def _marked(repeat: Any) -> bool:
    """Each round begins or ends with one character that no repeat inside can take, so it can be had in one way only."""
    body = list(repeat[2])
    inner = [one for one in _varying(repeat[2]) if len(one[2]) == 1]
    deeper = [one for one in _varying(repeat[2]) if len(one[2]) != 1]
    ends = [chr(argument) for operation, argument in (body[0], body[-1]) if operation is _constants.LITERAL]
    takes = [_compiler.compile(one[2]) for one in inner]
    return not deeper and any(not any(taking.fullmatch(end) for taking in takes) for end in ends)


def _tried_again(pattern: re.Pattern[str]) -> bool:
    """Whether a repeat holds another, and nothing tells its rounds apart."""
    repeats = _varying(_parser.parse(pattern.pattern, pattern.flags))
    return any(any(_varying(repeat[2])) and not _marked(repeat) for repeat in repeats)


def test_every_pattern_of_the_room_is_looked_at() -> None:
    assert len(_patterns()) > 200


@pytest.mark.parametrize("pattern", _patterns().values(), ids=_patterns())
def test_no_repeat_holds_a_repeat_that_could_share_its_text_with_it(pattern: re.Pattern[str]) -> None:
    assert not _tried_again(pattern)


@pytest.mark.parametrize(
    ("pattern", "bad"),
    [
        (r"(?:a{1,9}){1,9}b", True),
        (r"(a*)*b", True),
        (r"(?:[\w.]{1,9}\.){1,9}b", True),
        (r"(?:\w{1,9}\s?){1,9}b", True),
        (r"(?:\w{1,9}\.){1,9}b", False),
        (r"(?:,[^,]{0,9}){0,9}b", False),
        (r"(?:(?>a{1,9}) )+b", False),
        (r"a{1,9}b", False),
    ],
)
def test_the_look_at_patterns_knows_the_bad_from_the_good(pattern: str, bad: bool) -> None:
    assert _tried_again(re.compile(pattern)) is bad
