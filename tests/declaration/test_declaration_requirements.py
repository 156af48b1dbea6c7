"""What requirements files may say: grammar, encodings, includes, caps."""

from __future__ import annotations

import codecs

import pytest
from declaring import asked, only, refused, texts

from recto.declaration import caps
from recto.problems import Source

SHA256, SHA512 = "a" * 64, "B" * 128


@pytest.mark.parametrize(
    "line",
    [
        "polars",
        "Polars[gpu,Delta] >= 1, <2, != 1.5.*",
        "polars (>=1)",
        "polars~=1.2",
        "torch==2.1.0+cu121",
        "polars==1!2.0rc1.post2.dev3",
        "polars==1.0-1",
        "tqdm; python_version < '3.12' and (os_name == 'posix' or platform_machine in 'x86_64 arm64')",
        "importlib-metadata>=4",
        "python-dateutil",
        "zope.interface",
    ],
)
def test_what_pep_508_allows_by_name_is_accepted(line: str) -> None:
    assert len(asked({"requirements.txt": line}).requirements) == 1


def test_comments_blank_lines_and_continuations_are_read_as_pip_reads_them() -> None:
    text = "# head\n\n  polars>=1  # why\nduck\\\ndb\naltair \\\n# a comment ends it\nvega#datasets\\\n==1\nlast\\"
    problem = only({"requirements.txt": text})
    assert Source("requirements.txt", 8) == problem.source
    declaration = asked({"requirements.txt": text.replace("vega#datasets", "vega")})
    assert texts(declaration) == ["polars>=1", "duckdb", "altair", "vega==1", "last"]
    assert [each.source.line for each in declaration.requirements] == [3, 4, 6, 8, 10]


def test_hashes_are_kept_sorted_in_lower_case_and_bind_only_their_own_line() -> None:
    text = f"polars==1.2 \\\n  --hash=sha512:{SHA512} \\\n  --hash sha256:{SHA256}\nduckdb\n"
    polars, duckdb = asked({"requirements.txt": text}).requirements
    assert (f"sha256:{SHA256}", f"sha512:{SHA512.lower()}") == polars.hashes
    assert duckdb.hashes == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
    ],
)
def test_encodings_and_line_ends_make_no_difference(encoding: str, mark: bytes, end: str) -> None:
    data = mark + f"polars>=1{end}{end}# comment{end}duckdb".encode(encoding)
    declaration = asked({"requirements.txt": data})
    assert texts(declaration) == ["polars>=1", "duckdb"]
    assert [each.source.line for each in declaration.requirements] == [1, 4]


@pytest.mark.makes("declaration-encoding")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"polars\n\x93duckdb\x94\n", "byte 0x93 at offset 7"),
        (b"\xff\xfep\x00\x00\xd8", "UTF-16-LE"),
        (codecs.BOM_UTF32_LE + "polars".encode("utf-32-le"), "UTF-32"),
        (b"polars\n\x00\x01\x02", "line 2 holds the control character 0x00"),
        (b"\x7fELF\x02\x01\x01", "control character 0x7f"),
        (b"PK\x03\x04\x14\x00", "control character 0x03"),
        (b"\x1b[31mpolars\x1b[0m", "control character 0x1b"),
        (b"# -*- coding: latin-1 -*-\npolars", "`latin-1`"),
        (b"polars\n# vim: set fileencoding=cp1252 :\n", "`cp1252`"),
    ],
)
def test_what_is_not_text_is_refused(data: bytes, reason: str) -> None:
    problem = only({"requirements.txt": data})
    assert ("declaration-encoding", Source("requirements.txt")) == (problem.code, problem.source)
    assert reason in problem.message


@pytest.mark.parametrize("name", ["utf-8", "UTF_8", "utf8", "ascii"])
def test_a_coding_comment_that_names_utf_8_is_fine(name: str) -> None:
    assert texts(asked({"requirements.txt": f"# coding: {name}\npolars"})) == ["polars"]


def test_includes_are_read_where_they_stand_relative_to_their_file() -> None:
    files = {
        "requirements.txt": "first\n-r sub/more.txt\n--requirement='sub\\windows.txt'\nlast",
        "sub/more.txt": "second\n-c ../limits.txt\n-r../third.txt",
        "sub/windows.txt": "fourth",
        "third.txt": "third",
        "limits.txt": "first<2\n-r more-limits.txt\nos",
        "more-limits.txt": "second<2",
    }
    declaration = asked(files)
    assert texts(declaration) == ["first", "second", "third", "fourth", "last"]
    assert [str(each.requirement) for each in declaration.constraints] == ["first<2", "second<2", "os"]
    assert Source("sub/more.txt", 1) == declaration.requirements[1].source
    assert {*files} == {*declaration.sources}


def test_a_file_included_twice_counts_once_but_once_in_each_role() -> None:
    files = {"requirements.txt": "-r a.txt\n-r ./b/../a.txt\n-c a.txt", "a.txt": "polars"}
    declaration = asked(files)
    assert (len(declaration.requirements), len(declaration.constraints)) == (1, 1)
    assert declaration.sources == ("requirements.txt", "a.txt")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../base.txt", "outside the project"),
        ("sub/../../base.txt", "outside the project"),
        ("..\\base.txt", "outside the project"),
        ("/etc/passwd", "not relative"),
        ("\\\\server\\share", "not relative"),
        ("~/base.txt", "not relative"),
        ("C:base.txt", "not relative"),
        ("c:\\base.txt", "not relative"),
        ("https://example.org/base.txt", "an address"),
        ("file:///etc/passwd", "an address"),
        ("sub/..", "a directory"),
        ("missing.txt", "no such file"),
        ("zero\u200bwidth.txt", "not the name of a file"),
    ],
)
def test_what_lies_outside_the_project_is_never_asked_for(target: str, reason: str) -> None:
    for option in ("-r", "-c", "--constraint"):
        problem = only({"requirements.txt": f"{option} {target}"})
        assert problem.code == "declaration-include"
        assert reason in problem.message


def test_a_circle_of_includes_is_named_at_the_line_that_closes_it() -> None:
    files = {"requirements.txt": "-r a.txt", "a.txt": "polars\n-r b.txt", "b.txt": "-r a.txt\n-c requirements.txt"}
    assert [str(problem.source) for problem in refused(files)] == ["b.txt:1", "b.txt:2"]
    assert {"declaration-include"} == {problem.code for problem in refused(files)}


def test_includes_end_at_the_depth_cap() -> None:
    chain = {f"{n}.txt": f"p{n}\n-r {n + 1}.txt" for n in range(1, 10)}
    problem = only({"requirements.txt": "-r 1.txt", **chain, f"{caps.INCLUDE_DEPTH}.txt": "ok\n-r 9.txt", "9.txt": ""})
    assert f"{caps.INCLUDE_DEPTH}.txt:2" == str(problem.source)
    ends_in_time = {f"{caps.INCLUDE_DEPTH}.txt": "ok"}
    assert "ok" in texts(asked({"requirements.txt": "-r 1.txt", **chain, **ends_in_time}))


def test_includes_end_at_the_count_cap() -> None:
    most = {f"{n}.txt": f"p{n}" for n in range(caps.INCLUDED_FILES + 1)}
    lines = [f"-r {name}" for name in most]
    problem = only({"requirements.txt": "\n".join(lines), **most})
    assert f"requirements.txt:{caps.INCLUDED_FILES + 1}" == str(problem.source)
    assert len(asked({"requirements.txt": "\n".join(lines[:-1]), **most}).requirements) == caps.INCLUDED_FILES


def test_bytes_over_the_cap_are_refused_whatever_they_are() -> None:
    for data in (b"x" * 10_485_760, b"#\n" * 5_242_880, bytes(10_485_760)):
        problem = only({"requirements.txt": data})
        assert problem.code == "declaration-too-large"
        assert "262,144 bytes" in problem.message


def test_lines_over_the_cap_are_refused() -> None:
    assert len(asked({"requirements.txt": "a\n" * caps.LINES}).requirements) == caps.LINES
    assert "5,002 lines" in only({"requirements.txt": "a\n" * (caps.LINES + 1)}).message


def test_each_line_over_the_length_cap_is_named() -> None:
    long = "#" * (caps.LINE_CHARACTERS + 1)
    text = f"a\n{long}\nb\n{long}\n{long[1:]}"
    assert [problem.source.line for problem in refused({"requirements.txt": text}) if problem.source] == [2, 4]


def test_a_requirement_over_the_length_cap_cannot_hide_behind_continuations() -> None:
    text = "a ; os_name == 'x'" + " or \\\nos_name == 'x'" * 1000
    problem = only({"requirements.txt": text})
    assert ("declaration-too-large", Source("requirements.txt", 1)) == (problem.code, problem.source)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "\ufeff"])
def test_a_file_without_requirements_asks_for_nothing(text: str) -> None:
    declaration = asked({"requirements.txt": text})
    assert (declaration.empty, declaration.sources) == (True, ("requirements.txt",))


def test_a_project_without_files_asks_for_nothing() -> None:
    assert (asked({}).empty, asked({}).sources) == (True, ())
