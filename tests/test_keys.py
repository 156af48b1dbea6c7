"""Keys: one test for each input that changes a key alone, and for each thing that must not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from recto.declaration.model import Declaration, Declared
from recto.keys import (
    BaseIdentity,
    ContentPolicy,
    EnvironmentKey,
    Ingredients,
    LineageKey,
    SpecKey,
    declaration_digest,
    environment_ingredients,
    lineage_ingredients,
    spec_ingredients,
)
from recto.problems import Source

BASE = BaseIdentity(
    implementation="cpython",
    version="3.11.7",
    platform="linux-x86_64",
    libc="glibc 2.36",
    abi="cpython-311-x86_64-linux-gnu",
    location="/srv/base",
    distributions={"numpy": "2.4.6", "pandas": "3.1.1"},
)
CONTENT = ContentPolicy()


def declared(*lines: str, file: str = "requirements.txt") -> tuple[Declared, ...]:
    return tuple(Declared(Requirement(line), Source(file, n)) for n, line in enumerate(lines, 1))


ASKED = Declaration(requirements=declared("polars>=1,<3", "great-tables[all]; python_version >= '3.9'"))


def spec(declaration: Declaration = ASKED, base: BaseIdentity = BASE, content: ContentPolicy = CONTENT) -> SpecKey:
    return SpecKey.of(spec_ingredients(declaration, base, content))


def lineage(base: BaseIdentity) -> LineageKey:
    return LineageKey.of(lineage_ingredients(ASKED, base, CONTENT))


def lock(*packages: tuple[str, str, str]) -> Pylock:
    return Pylock.from_dict(
        {
            "lock-version": "1.0",
            "created-by": "test",
            "packages": [
                {
                    "name": name,
                    "version": version,
                    "wheels": [
                        {
                            "url": f"https://files.example/{name}-{version}-py3-none-any.whl",
                            "hashes": {"sha256": digest * 64},
                        }
                    ],
                }
                for name, version, digest in packages
            ],
        }
    )


LOCK = lock(("polars", "2.1.0", "a"), ("numpy", "2.4.6", "b"))


def environment(
    pylock: Pylock = LOCK,
    install: tuple[str, ...] = ("polars",),
    base: BaseIdentity = BASE,
    leaned: dict[str, str] | None = None,
    content: ContentPolicy = CONTENT,
) -> EnvironmentKey:
    leans_on = {"numpy": "2.4.6"} if leaned is None else leaned
    return EnvironmentKey.of(environment_ingredients(pylock, install, base, leans_on, content))


LOCKED = Declaration(lock=LOCK)


@pytest.mark.parametrize(
    "changed",
    [
        replace(ASKED, requirements=declared("polars>=1,<4", "great-tables[all]; python_version >= '3.9'")),
        replace(ASKED, requirements=declared("polars>=1,<3", "great-tables; python_version >= '3.9'")),
        replace(ASKED, requirements=declared("polars>=1,<3", "great-tables[all]")),
        replace(ASKED, requirements=declared("polars>=1,<3")),
        replace(ASKED, requirements=(*ASKED.requirements, *declared("duckdb"))),
        replace(ASKED, constraints=declared("numpy<2")),
        replace(ASKED, requires_python=SpecifierSet(">=3.10")),
        replace(ASKED, as_of=date(2026, 1, 1)),
        replace(ASKED, requirements=(replace(ASKED.requirements[0], hashes=("sha256:aa",)), ASKED.requirements[1])),
        LOCKED,
    ],
    ids=["specifier", "extra", "marker", "fewer", "more", "constraint", "requires-python", "as-of", "hash", "lock"],
)
def test_each_part_of_the_declaration_changes_the_spec_key(changed: Declaration) -> None:
    assert spec(changed) != spec()
    assert declaration_digest(changed) != declaration_digest(ASKED)


@pytest.mark.parametrize(
    "base",
    [
        replace(BASE, implementation="pypy"),
        replace(BASE, version="3.11.8"),
        replace(BASE, platform="linux-aarch64"),
        replace(BASE, libc="musl 1.2"),
        replace(BASE, abi="cpython-311d"),
        replace(BASE, location="/srv/other"),
    ],
    ids=["implementation", "version", "platform", "libc", "abi", "location"],
)
def test_each_part_of_the_interpreter_changes_every_key(base: BaseIdentity) -> None:
    assert spec(base=base) != spec()
    assert lineage(base) != lineage(BASE)
    assert environment(base=base) != environment()


@pytest.mark.parametrize(
    "distributions",
    [{"numpy": "2.4.6"}, {"numpy": "2.4.7", "pandas": "3.1.1"}, {**BASE.distributions, "scipy": "1.17.1"}],
    ids=["removed", "upgraded", "added"],
)
def test_what_the_base_has_installed_changes_the_spec_key_but_neither_lineage_nor_environment(
    distributions: dict[str, str],
) -> None:
    base = replace(BASE, distributions=distributions)
    assert spec(base=base) != spec()
    assert lineage(base) == lineage(BASE)
    assert environment(base=base) == environment()


@pytest.mark.parametrize(
    "content",
    [ContentPolicy(index="private"), ContentPolicy(builds="trusted"), ContentPolicy(tenant="physics")],
    ids=["index", "builds", "tenant"],
)
def test_each_content_policy_changes_the_spec_key(content: ContentPolicy) -> None:
    assert spec(content=content) != spec()


@pytest.mark.parametrize(
    "same",
    [
        declared("great-tables[all]; python_version >= '3.9'", "polars>=1,<3"),
        declared("Polars<3,>=1", "great_tables[ALL] ;python_version>='3.9'"),
        declared("polars >= 1 , < 3", 'great.tables[all] ; python_version >= "3.9"'),
        declared("polars>=1,<3", "polars<3,>=1", "great-tables[all]; python_version >= '3.9'"),
        declared("polars>=1,<3", "great-tables[all]; python_version >= '3.9'", file="paper.qmd"),
    ],
    ids=["order", "case", "spacing", "duplicates", "where it was written"],
)
def test_spelling_and_place_never_change_a_key(same: tuple[Declared, ...]) -> None:
    assert spec(Declaration(requirements=same)) == spec()
    assert declaration_digest(Declaration(requirements=same)) == declaration_digest(ASKED)


def test_the_names_of_the_files_that_were_read_never_change_a_key() -> None:
    assert spec(replace(ASKED, sources=("chapters/paper.qmd", "requirements.txt"))) == spec()


def test_no_ingredient_holds_an_address_or_a_path_of_the_project() -> None:
    text = tomli_w.dumps(LOCK.to_dict()).replace("https://", "https://user:hunter2@")
    with_secret = Pylock.from_dict(tomllib.loads(text))
    assert environment(with_secret) == environment()
    assert spec(Declaration(lock=with_secret)) == spec(LOCKED)
    digested = str(environment_ingredients(with_secret, ["polars"], BASE, {}, CONTENT).to_json())
    assert "hunter2" in text
    assert "hunter2" not in digested
    assert "://" not in digested


@pytest.mark.parametrize(
    "changed",
    [
        lambda: environment(lock(("polars", "2.1.1", "a"), ("numpy", "2.4.6", "b"))),
        lambda: environment(lock(("polars", "2.1.0", "c"), ("numpy", "2.4.6", "b"))),
        lambda: environment(install=("polars", "numpy")),
        lambda: environment(leaned={"numpy": "2.4.7"}),
        lambda: environment(leaned={}),
        lambda: environment(content=ContentPolicy(builds="trusted")),
        lambda: environment(content=ContentPolicy(tenant="physics")),
    ],
    ids=["version", "hash", "what is installed", "base version", "base package", "builds", "tenant"],
)
def test_each_part_of_the_answer_changes_the_environment_key(changed: Callable[[], EnvironmentKey]) -> None:
    assert changed() != environment()


def test_a_locked_package_that_is_not_installed_is_no_ingredient() -> None:
    assert environment(lock(("polars", "2.1.0", "a"), ("numpy", "9.9", "f"))) == environment()


def test_the_index_alias_does_not_change_what_came_out() -> None:
    assert environment(content=ContentPolicy(index="mirror")) == environment()


def test_keys_of_two_kinds_are_never_equal() -> None:
    digest = "0" * 32
    assert len({SpecKey(digest), EnvironmentKey(digest), LineageKey(digest)}) == 3


@pytest.mark.parametrize("text", ["", "xyz", "A" * 32, "0" * 31, "../" + "0" * 29, "0" * 32 + "\n"])
def test_a_text_that_is_not_a_digest_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        SpecKey(text)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_lists_that_would_join_to_the_same_text_have_different_keys(left: list[str], right: list[str]) -> None:
    def key(values: list[str]) -> SpecKey:
        return SpecKey.of(Ingredients("spec", (("requirements", tuple(values)),)))

    assert (key(left) == key(right)) == (left == right)


def from_source(digest: str, *wheels: dict[str, object]) -> Pylock:
    source = {"name": "polars-1.0.tar.gz", "url": "https://x/polars-1.0.tar.gz", "hashes": {"sha256": digest}}
    package = {"name": "polars", "version": "1.0", "sdist": source, **({"wheels": list(wheels)} if wheels else {})}
    return Pylock.from_dict({"lock-version": "1.0", "created-by": "tests", "packages": [package]})


def test_the_source_is_an_ingredient_where_it_is_what_is_built() -> None:
    assert environment(from_source("a" * 64)) != environment(from_source("b" * 64))


def test_a_source_beside_a_wheel_is_no_ingredient() -> None:
    wheel: dict[str, object] = {
        "name": "polars-1.0-py3-none-any.whl",
        "url": "https://x/polars-1.0-py3-none-any.whl",
        "hashes": {"sha256": "c" * 64},
    }
    assert environment(from_source("a" * 64, wheel)) == environment(from_source("b" * 64, wheel))
