"""What holds for every input: nothing but a declaration or its problems comes out, and what goes in comes out again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from declaring import Files, asked, texts
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from recto.declaration import CleanInput, Declaration, Declared, clean_constraints, clean_requirements
from recto.declaration.entry import Entry
from recto.declaration.pep508 import canonical
from recto.declaration.refusals import first_refusal
from recto.declaration.requirement import is_plain
from recto.declaration.showing import shown, without_credentials
from recto.problems import DeclarationError, Source

LOCK = (
    b'lock-version = "1.0"\ncreated-by = "t"\n[[packages]]\nname = "a"\nversion = "1"\n'
    b'wheels = [{url = "https://x/a-1-py3-none-any.whl", hashes = {sha256 = "' + b"0" * 64 + b'"}}]\n'
)
SEEDS = {
    "requirements.txt": b"polars>=1 # c\nb==1 \\\n --hash=sha256:" + b"a" * 64 + b"\n-r x.txt\nd; os_name == 'nt'\n",
    "_quarto.yml": b"project: {type: book}\npython:\n  dependencies: [a, 'b>=1']\n  as-of: 2026-01-31\n",
    "paper.qmd": b"---\npython:\n  dependencies:\n  - a\n  - b=1\n  requires-python: '>=3'\n---\ntext",
    "paper.ipynb": b'{"cells": [{"cell_type": "raw", "source": ["---\\n", "python: {dependencies: [a]}\\n", "---"]}]}',
    "pyproject.toml": b'[project]\ndependencies = ["a", "b=1"]\n[tool.recto]\nas-of = 2026-01-31\n',
    "pylock.toml": LOCK,
}

DAMAGE = st.sampled_from([b"[", b"{", b'"', b"\n", b"- ", b"&a ", b"*a", b"---\n"])

numbers = st.integers(0, 99).map(str)
words = st.text("abcdez019", min_size=1, max_size=5)
names = st.builds("q{}{}q{}".format, words, st.sampled_from(["", "-", "_", ".", "-_"]), words)
versions = st.builds("{}.{}{}".format, numbers, numbers, st.sampled_from(["", "a1", "rc2", ".0", ".post3", ".dev4"]))
clauses = st.builds(str.__add__, st.sampled_from(["==", "!=", ">=", "<=", ">", "<"]), versions)
markers = st.sampled_from(["", " ; os_name == 'nt'", ' ;python_version < "3.12" and (os_name=="a" or "b" in os_name)'])
SCHEMES = st.sampled_from(["https", "git+https", "ssh", "ftp"])
digests = st.binary(min_size=32, max_size=32).map(lambda digest: f"sha256:{digest.hex()}")


pieces = st.sampled_from(
    [
        "a",
        "Z",
        "1",
        ".",
        "-",
        "_",
        " ",
        "=",
        "==",
        ">=",
        "<",
        "~",
        "!",
        "*",
        ",",
        "@",
        "/",
        "pip install ",
        "conda",
        ".txt",
    ]
)


@given(st.lists(pieces, max_size=8).map("".join))
@example("a==1=2")
@example("--a==1")
@example("requirements.txt")
@settings(max_examples=2000)
def test_no_refusal_knows_a_plain_line(text: str) -> None:
    if is_plain(text):
        assert first_refusal(Entry(text, Source("requirements.txt", 1), (text,))) is None


@pytest.mark.parametrize("text", ["polars", "great-tables", "duckdb>=1", "a == 1.2", "a>=1,<2", "a~=1.4", "a!=2.*"])
def test_a_name_and_versions_are_plain(text: str) -> None:
    assert is_plain(text)


@st.composite
def requirement_lines(draw: st.DrawFn) -> str:
    extras = draw(st.lists(names, max_size=2))
    text = draw(names) + (f"[{','.join(extras)}]" if extras else "")
    hashes = draw(st.lists(digests, max_size=2))
    specifier = f"=={draw(versions)}" if hashes else ",".join(draw(st.lists(clauses, max_size=3)))
    space = draw(st.sampled_from(["", " ", "  "]))
    return f"{text}{space}{specifier}{draw(markers)}" + "".join(f" --hash={digest}" for digest in hashes)


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        upto = at + draw(st.integers(0, 6))
        data[at:upto] = draw(st.one_of(st.binary(max_size=4), DAMAGE))
    return bytes(data)


def outcome(name: str, data: bytes) -> Declaration | DeclarationError:
    try:
        return asked({name: data, "x.txt": "inner"}, name if name.startswith("paper") else None)
    except DeclarationError as error:
        return error


@pytest.mark.parametrize("name", SEEDS)
def test_any_bytes_give_a_declaration_or_its_problems(name: str) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.one_of(st.binary(max_size=300), damaged(SEEDS[name]), st.text(max_size=200).map(str.encode)))
    def tried(data: bytes) -> None:
        result = outcome(name, data)
        if isinstance(result, DeclarationError):
            for problem in result.problems:
                assert problem.source is not None
                json.dumps(problem.to_json(), allow_nan=False).encode("utf-8")

    tried()


@pytest.mark.parametrize(
    "inside",
    [
        lambda text: {"_quarto.yml": f"python: {{dependencies: [{json.dumps(text)}]}}"},
        lambda text: {"_quarto.yml": f"python: {{as-of: {json.dumps(text)}, requires-python: {json.dumps(text)}}}"},
        lambda text: {"_quarto.yml": f"python: {{{json.dumps(text)}: 1}}"},
        lambda text: {"requirements.txt": text},
    ],
)
def test_any_text_in_any_place_gives_a_declaration_or_its_problems(inside: Callable[[str], Files]) -> None:
    @settings(max_examples=150, deadline=None)
    @given(st.one_of(st.text(max_size=60), st.text("ab1.=<>~!@[](),;:'\"-#$/\\{} \t\n", max_size=40)))
    @example("\x1b[31m")
    @example("a" * 5000)
    @example("1" * 5000)
    @example("a==" + "1" * 5000)
    def tried(text: str) -> None:
        try:
            asked(inside(text))
        except DeclarationError as error:
            for problem in error.problems:
                assert problem.message.isprintable()
                assert problem.excerpt.isprintable() or "\n" in problem.excerpt

    tried()


@given(st.lists(requirement_lines(), max_size=8), st.lists(requirement_lines(), max_size=3))
@settings(deadline=None)
def test_a_declaration_written_out_is_read_back_the_same(lines: list[str], limits: list[str]) -> None:
    limits = [line.partition("[")[0] if "[" in line else line for line in limits]
    first = asked({"requirements.txt": "\n".join([*lines, "-c c.txt"]), "c.txt": "\n".join(limits)})
    requirements, constraints = clean_requirements(first), clean_constraints(first)
    second = asked({"requirements.txt": f"{requirements.text}-c c.txt", "c.txt": constraints.text})
    assert (requirements.text, constraints.text) == (clean_requirements(second).text, clean_constraints(second).text)
    assert asked_for(first) == asked_for(second)


@given(st.lists(requirement_lines(), max_size=8))
@settings(deadline=None)
def test_each_clean_line_knows_who_asked_for_it(lines: list[str]) -> None:
    clean = clean_requirements(asked({"requirements.txt": "\n".join(lines)}))
    written = clean.text.splitlines()
    assert sorted(written) == written
    for number, line in enumerate(written, 1):
        declared = clean.at(number)
        assert declared is not None
        assert canonical(declared.requirement) == line.partition(" --hash")[0]
        assert Requirement(lines[(declared.source.line or 0) - 1].partition(" --hash")[0]) == declared.requirement
    assert (clean.at(0), clean.at(len(written) + 1)) == (None, None)


def asked_for(declaration: Declaration) -> set[tuple[str, tuple[str, ...]]]:
    return {(canonical(each.requirement), each.hashes) for each in declaration.requirements}


def test_the_first_of_equal_requirements_stands_for_all() -> None:
    clean = clean_requirements(asked({"requirements.txt": "b_B<2,>=1\nA\nB-b >= 1, <2\na"}))
    assert clean.text == "a\nb-b<2,>=1\n"
    assert [each.source.line for each in clean.declared] == [2, 1]


def test_a_clean_input_is_a_value() -> None:
    declared = Declared(Requirement("a"), Source("requirements.txt", 1))
    assert CleanInput("a\n", (declared,)) == clean_requirements(Declaration(requirements=(declared,)))


@given(st.text(max_size=400))
def test_what_is_shown_is_short_and_printable(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 200


@given(SCHEMES, st.text("abcXYZ019._~-!$&'()*+,;=%/@", min_size=1, max_size=30))
def test_a_password_in_an_address_is_never_shown(scheme: str, password: str) -> None:
    secret = f"zq{password}qz"
    assert secret not in without_credentials(f"tool @ {scheme}://someone:{secret}@git.example/o/tool@v1")
    assert secret not in without_credentials(f"someone:{secret}@git.example/o/tool")


def test_reading_is_a_function_of_the_bytes_alone() -> None:
    files = {**SEEDS, "pylock.toml": LOCK, "x.txt": b"inner"}
    files["paper.qmd"] = b"---\npython: {dependencies: [a]}\n---"
    files["_quarto.yml"] = b"python: {as-of: 2026-01-31}"
    first, second = asked(files, "paper.qmd"), asked(files, "paper.qmd")
    assert first == second
    assert list(first.sources) == ["pylock.toml", "pyproject.toml", "_quarto.yml", "paper.qmd"]
    assert texts(first) == []


# Inputs that cost the square of their length in one parser or another; each must end, within the timeout of the suite.
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("requirements.txt", b" " * 4_000 + b"x\n" + (b" " * 4_000 + b"#\n") * 60),
        ("requirements.txt", (b"a" * 4_000 + b" =\n") * 60),
        ("requirements.txt", (b"a:" * 2_000 + b"\n") * 60),
        ("requirements.txt", (b"//" * 2_000 + b"\n") * 60),
        ("requirements.txt", (b"a@" * 2_000 + b"\n") * 60),
        ("requirements.txt", (b"a ; " + b"'" * 4_000 + b"\n") * 60),
        ("requirements.txt", (b"a==1" + b",==1" * 900 + b"\n") * 60),
        ("requirements.txt", (b"x-1" * 1_300 + b"\n") * 60),
        ("requirements.txt", (b"-e " + b"#egg=&" * 600 + b"\n") * 60),
        ("requirements.txt", b"a \\\n" * 4_999),
        ("requirements.txt", b"a" + (b" " * 4_000 + b"\\\n") * 60 + b"b"),
        ("requirements.txt", (b"a" + b" " * 4_000 + b"b\n") * 60),
        ("requirements.txt", b"a" + (b" " * 4_000 + b"--x\\\n") * 60 + b"b"),
        ("requirements.txt", b"-r a" + (b" " * 4_000 + b"\\\n") * 60 + b"b"),
        ("requirements.txt", b"-e x" + (b"x-1" * 1_300 + b"\\\n") * 60),
        ("requirements.txt", (b"-e " + b"x-1" * 1_300 + b".whl\n") * 60),
        ("requirements.txt", (b"@ " + b"'a:" * 1_300 + b"\n") * 60),
        ("requirements.txt", (b"@ " + b"//a:" * 1_000 + b"\\\n") * 60),
        ("requirements.txt", (b"," * 4_000 + b"x\n") * 60),
        ("paper.qmd", b"---\n" * 1_000_000),
        ("paper.qmd", b"---\n" + b"\n--- x" * 1_000_000),
        ("paper.qmd", b"---\npython: x\n" + b"'" * 60_000 + b"\n---\n"),
        ("pyproject.toml", b"[project]\n" + (b".".join([b"a"] * 290) + b"=1\n") * 400),
        ("paper.ipynb", b'{"cells": [{"cell_type": "raw", "source": "---' + b"\\n" * 9_000_000 + b'"}]}'),
    ],
)
def test_costly_inputs_come_to_an_end(name: str, data: bytes) -> None:
    assert isinstance(outcome(name, data), Declaration | DeclarationError)
