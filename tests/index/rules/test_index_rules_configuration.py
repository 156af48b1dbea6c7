"""The operator's document to rules, and what is said of one that cannot be read."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osv_records import advisories, keep, record
from recto.index.advisories.level import Level
from recto.index.base import Rule
from recto.index.rules.age import Age
from recto.index.rules.allow import Allow
from recto.index.rules.chosen import KEYS, Chosen
from recto.index.rules.configuration import Choices, read_choices
from recto.index.rules.current import CurrentRules
from recto.index.rules.deny import Deny
from recto.index.rules.malicious import Malicious
from recto.index.rules.project_status import ProjectStatus
from recto.index.rules.vulnerable import Vulnerable
from recto.index.rules.wheels_only import WheelsOnly
from recto.problems import Problem, SettingsError


def choices(text: str, *, with_advisories: bool = True) -> Choices:
    return read_choices(text.encode(), "rules.toml", with_advisories=with_advisories)


def rules(text: str, tenant: str = "") -> dict[str, Rule]:
    return {rule.name: rule for rule in choices(text).over().rules_for(tenant)}


def problems(text: str, *, with_advisories: bool = True) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        choices(text, with_advisories=with_advisories)
    return list(caught.value.problems)


def test_without_a_word_there_are_wheels_only_no_quarantine_and_no_malice() -> None:
    assert list(rules("")) == ["malicious", "project-status", "wheels-only"]
    malicious, status = rules("")["malicious"], rules("")["project-status"]
    assert isinstance(malicious, Malicious)
    assert isinstance(status, ProjectStatus)
    assert (malicious.blocks, status.archived) == (True, "warn")


def test_every_example_of_a_key_is_a_document_of_its_own() -> None:
    for key, value in KEYS.items():
        assert list(tomllib.loads(value.example)) == [key]
        assert choices(f"[rules]\n{value.example}\n").everybody != choices("[rules]\n" + key + " = false\n").everybody


def test_every_key_has_a_value_and_every_value_a_key() -> None:
    assert [key.replace("-", "_") for key in sorted(KEYS)] == sorted(Chosen.__struct_fields__)


def test_all_rules_can_be_asked_for_at_once() -> None:
    text = "[rules]\n" + "\n".join(key.example for key in KEYS.values())
    assert list(rules(text)) == [
        "allow",
        "deny",
        "malicious",
        "vulnerable",
        "project-status",
        "wheels-only",
        "age",
        "as-of",
        "yanked",
        "file-size",
        "project-size",
    ]


def test_false_switches_a_rule_off_but_not_that_of_quarantine() -> None:
    text = "[rules]\n" + "\n".join(f"{key} = false" for key in KEYS)
    assert rules(text) == {"project-status": ProjectStatus("keep")}


def test_names_and_ranges_are_normalised_and_joined() -> None:
    found = rules('[rules]\nallow = ["Zope.Interface >= 5, <6", "zope_interface==7", "numpy", "numpy<2"]\ndeny = []')
    assert found["allow"] == Allow({"numpy": ("", "<2"), "zope-interface": ("<6,>=5", "==7")})
    assert "deny" not in found


def test_an_empty_list_allows_nothing() -> None:
    assert rules("[rules]\nallow = []")["allow"] == Allow({})


def test_the_age_goes_with_those_exempt_from_it() -> None:
    found = rules('[rules]\nminimum-age-days = 0.5\nage-exempt = ["Our_Tool"]')
    assert found["age"] == Age.of_days(0.5, frozenset({"our-tool"}))


def test_levels_are_read() -> None:
    found = rules('[rules]\nvulnerable = {block = "high", warn = "low"}')["vulnerable"]
    assert isinstance(found, Vulnerable)
    assert (found.block, found.warn) == (Level.HIGH, Level.LOW)


def test_a_tenant_replaces_single_keys() -> None:
    text = '[rules]\ndeny = ["a"]\nwheels-only = false\n[tenants.lab.rules]\ndeny = ["b"]\n[tenants."x y".rules]\n'
    assert rules(text)["deny"] == rules(text, "nobody")["deny"] == rules(text, "x y")["deny"] == Deny({"a": ("",)})
    assert rules(text, "lab")["deny"] == Deny({"b": ("",)})
    assert "wheels-only" not in rules(text, "lab")
    assert rules("[tenants.lab.rules]\nwheels-only = false").keys() >= {"wheels-only"}
    assert rules("[rules]\nwheels-only = false\n[tenants.lab.rules]\nwheels-only = true", "lab")["wheels-only"] == (
        WheelsOnly()
    )


def test_the_version_changes_with_every_choice_and_with_the_advisories() -> None:
    texts = ["", *(f"[rules]\n{key.example}" for name, key in KEYS.items() if name not in _DEFAULTS)]
    texts += [f"[rules]\n{name} = false" for name in _DEFAULTS]
    texts += ["[tenants.lab.rules]\nwheels-only = false", "[tenants.other.rules]\nwheels-only = false"]
    versions = [choices(text).over().version for text in texts]
    versions.append(choices("").over(advisories(record("X-1"))).version)
    versions.append(choices("").over(advisories(record("X-2"))).version)
    assert len(set(versions)) == len(versions) == len(KEYS) + 5


_DEFAULTS = ("wheels-only", "archived", "malicious")


def test_the_version_does_not_change_with_spelling() -> None:
    one = '[rules]\ndeny = ["B", "a<2,>1"]\nage-exempt = ["x", "y", "z"]'
    two = '# a comment\n[rules]\nage-exempt = ["Z", "y", "x", "x"]\ndeny = ["a>1,<2", "b"]\nwheels-only = true'
    assert choices(one).over().version == choices(two).over().version


@pytest.mark.makes("gateway-rule-invalid")
def test_everything_that_is_wrong_is_said_at_once_with_its_line() -> None:
    text = """
[rules]
allow = ["numpy ; python_version<'4'", "ok"]
deny = "numpy"
wheels-only = 1
minimum-age = 7
minimum-age-days = -1
as-of = "31.1.2026"
file-bytes-max = 1.5
yanked = "maybe"
vulnerable = {block = "High"}

[tenants.lab.rules]
archived = true
[tenants.lab.limits]
[other]
"""
    found = problems(text)
    assert {one.code for one in found} == {"gateway-rule-invalid"}
    told = {(one.message.split("`")[1], one.source.line if one.source else None) for one in found}
    assert told == {
        ("rules.allow", 3),
        ("rules.deny", 4),
        ("rules.wheels-only", 5),
        ("rules.minimum-age", 6),
        ("rules.minimum-age-days", 7),
        ("rules.as-of", 8),
        ("rules.file-bytes-max", 9),
        ("rules.yanked", 10),
        ("rules.vulnerable", 11),
        ("tenants.lab.rules.archived", 14),
        ("tenants.lab.limits", 15),
        ("other", 16),
    }
    assert all(one.source and one.source.file == "rules.toml" for one in found)


@pytest.mark.parametrize(
    ("line", "reason", "hint"),
    [
        ("minimum-age = 7", "there is no such key", "Write `minimum-age-days`."),
        ("qqq = 7", "there is no such key", "Write one of `allow`, `deny`,"),
        ("minimum-age-days = true", "it is a number of days from 0 to 36525", "Write `minimum-age-days = 7`."),
        ("minimum-age-days = nan", "it is a number of days from 0 to 36525", "Write `minimum-age-days = 7`."),
        ('deny = ["numpy=1"]', "`numpy=1` is not the name of a package, alone or with a range", "Write `deny = "),
        (f'deny = ["x<{"9" * 5000}"]', "is not the name of a package, alone or with a range", "Write `deny = "),
        ('deny = ["x[y]"]', "`x[y]` has more than a name and a range of versions", "Write `deny = "),
        ('deny = ["x @ https://u:secret@h/x"]', "has more than a name", "Write `deny = "),
        ('age-exempt = ["a b"]', "`a b` is not the name of a package", "Write `age-exempt = "),
        ("as-of = 2026-01-01T00:00:00Z", "it is a date without a time, year first", "Write `as-of = 2026-01-31`."),
        ("as-of = 9999-12-31", "no day follows it", "Write `as-of = 2026-01-31`."),
        ("file-bytes-max = true", "it is a whole number of bytes", "Write `file-bytes-max = "),
        ("vulnerable = {}", "it is a table with `block`, `warn` or both", "Write `vulnerable = "),
        ('vulnerable = {blok = "low"}', "it is a table with `block`, `warn` or both", "Write `vulnerable = "),
        ('vulnerable = {block = "bad"}', "`block` is one of `low`, `moderate`, `high`, `critical`", "Write `vuln"),
        ('vulnerable = {block = "medium"}', "`block` is one of `low`, `moderate`, `high`, `critical`", "Write `vuln"),
        ("yanked = [1]", 'it is `"hide"` or `"keep"`', 'Write `yanked = "hide"`.'),
    ],
)
def test_a_value_that_cannot_be_is_told_with_one_that_can(line: str, reason: str, hint: str) -> None:
    (found,) = problems(f"[rules]\n{line}")
    assert reason in found.message
    assert found.hint.startswith(hint)
    assert found.source is not None
    assert found.source.line == 2
    assert "secret" not in found.message


@pytest.mark.parametrize(
    "text", ["rules = 3", "[rules]\n[tenants]\nlab = 3", "tenants = []", "[tenants.lab]\nrules = 1"]
)
def test_what_is_no_table_is_told(text: str) -> None:
    assert [one.message.endswith("it is a table.") for one in problems(text)] == [True]


def test_a_tenant_without_a_name_is_told() -> None:
    assert [one.message for one in problems('[tenants."".rules]\nwheels-only = false')] == [
        "`tenants` cannot be ``: a tenant has a name."
    ]


@pytest.mark.makes("gateway-rules-unreadable")
def test_what_is_not_toml_is_told_with_its_place() -> None:
    (found,) = problems("[rules]\nallow = numpy")
    assert (found.code, "line 2" in found.message) == ("gateway-rules-unreadable", True)
    with pytest.raises(SettingsError, match=r"`rules\.toml` cannot be read"):
        read_choices(b"\xff", "rules.toml", with_advisories=True)


def test_a_rule_over_advisories_is_refused_where_there_are_none() -> None:
    (found,) = problems('[rules]\nmalicious = "block"', with_advisories=False)
    assert "no folder of advisories is set" in found.message
    assert choices("[rules]\nmalicious = false", with_advisories=False).everybody.malicious is None
    assert choices("", with_advisories=False).over().rules_for("")


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_bytes_are_rules_or_a_problem(text: str | bytes) -> None:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    for document in (data, b"[rules]\n" + data, b"[rules]\nallow = " + data):
        with suppress(SettingsError):
            read_choices(document, "rules.toml", with_advisories=True).over()


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["hide", "low", "numpy<2"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["block", "warn", "x"]), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(KEYS)), VALUES)
def test_any_value_of_a_key_is_read_or_a_value_error(key: str, value: object) -> None:
    with suppress(ValueError):
        assert KEYS[key].read(value) is not None


def test_the_rules_in_force_follow_the_folder(tmp_path: Path) -> None:
    keep(tmp_path, record("MAL-1", name="one"))
    current = CurrentRules(choices(""), tmp_path)
    first = (current.version, current.rules_for(""))
    assert (current.refresh(), current.version) == (None, first[0])
    keep(tmp_path, record("MAL-2", name="two"))
    assert current.refresh() is None
    assert current.version != first[0]
    assert current.advisories.known("two")
    (malicious,) = [rule for rule in current.rules_for("") if isinstance(rule, Malicious)]
    assert malicious.advisories.known("two")


def test_the_rules_in_force_stay_while_the_folder_cannot_be_read(tmp_path: Path) -> None:
    keep(tmp_path, record("MAL-1", name="one"))
    current = CurrentRules(choices(""), tmp_path)
    version = current.version
    (tmp_path / "half.json").write_text('{"id": "MA')
    told = [current.refresh(), current.refresh()]
    assert [one is not None and one.code for one in told] == ["advisories-unreadable"] * 2
    assert (current.version, current.advisories.known("one")) == (version, True)
    (tmp_path / "half.json").rename(tmp_path / "half.txt")
    assert (current.refresh(), current.version) == (None, version)


def test_without_a_folder_nothing_changes() -> None:
    current = CurrentRules(choices("", with_advisories=False))
    assert (current.refresh(), len(current.advisories)) == (None, 0)
