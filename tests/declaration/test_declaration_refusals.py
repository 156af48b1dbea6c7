"""What is refused, in which words, and that the offered fix mends it."""

from __future__ import annotations

import re

import pytest
from declaring import applied, asked, only, refused, texts
from packaging.utils import canonicalize_name

from recto.declaration.pep508 import NotARequirement, parse
from recto.problems import KINDS

SHA256 = "a" * 64

# The line, the code, and what the file asks for once the fix is applied; None where no fix is certain.
REFUSED = [
    ("--index-url https://index.example/simple", "declaration-option", []),
    ("-i https://index.example/simple", "declaration-option", []),
    ("--extra-index-url=https://index.example/simple", "declaration-option", []),
    ("-f https://index.example/wheels", "declaration-option", []),
    ("--find-links ./wheels", "declaration-option", []),
    ("--no-binary :all:", "declaration-option", []),
    ("--pre", "declaration-option", []),
    ("--require-hashes", "declaration-option", []),
    ("--trusted-host index.example", "declaration-option", []),
    ("--something-new=3", "declaration-option", []),
    ("polars==1.2 --config-settings=a=b", "declaration-option", ["polars==1.2"]),
    ("-e .", "declaration-url", None),
    ("-e git+https://git.example/o/tool.git#egg=tool", "declaration-url", None),
    ("--editable=./tool", "declaration-url", None),
    ("git+https://git.example/o/tool.git@v1", "declaration-url", None),
    ("git+ssh://git@git.example/o/tool.git", "declaration-url", None),
    ("git@git.example:o/tool.git", "declaration-url", None),
    ("https://files.example/tool-1.2-py3-none-any.whl", "declaration-url", None),
    ("tool @ https://files.example/tool-1.2.tar.gz", "declaration-url", None),
    ("tool[x] @ git+https://git.example/o/tool", "declaration-url", None),
    ("attrs @ file:///tmp/build/80754af9/attrs_1620827162558/work", "declaration-url", ["attrs"]),
    (
        "ipykernel @ file:///home/conda/feedstock_root/x/dist/ipykernel-6.2.0-py3-none-any.whl ; os_name == 'nt'",
        "declaration-url",
        ['ipykernel==6.2.0; os_name == "nt"'],
    ),
    ("file:///srv/tool", "declaration-url", None),
    ("./tool", "declaration-url", None),
    ("../tool", "declaration-url", None),
    (".", "declaration-url", None),
    (".[dev]", "declaration-url", None),
    ("/etc/passwd", "declaration-url", None),
    ("~/tool", "declaration-url", None),
    ("C:\\tools\\tool", "declaration-url", None),
    ("wheels\\tool.whl", "declaration-url", None),
    ("tool-1.2.tar.gz", "declaration-url", None),
    ("requirements-dev.txt", "declaration-url", None),
    ("polars==${VERSION}", "declaration-variable", None),
    ("$PACKAGE", "declaration-variable", None),
    ("polars=1.2", "invalid-requirement", ["polars==1.2"]),
    ("polars = 1.2", "invalid-requirement", ["polars==1.2"]),
    ('polars = "1.2"', "invalid-requirement", ["polars==1.2"]),
    ("polars[gpu]=1.2 ; os_name == 'nt'", "invalid-requirement", ['polars[gpu]==1.2; os_name == "nt"']),
    (f"polars=1.2 --hash=sha256:{SHA256}", "invalid-requirement", ["polars==1.2"]),
    ("polars=>1.2", "invalid-requirement", ["polars>=1.2"]),
    ("polars 1.2", "invalid-requirement", ["polars==1.2"]),
    ("polars: 1.2", "invalid-requirement", ["polars==1.2"]),
    ("polars@1.2", "invalid-requirement", ["polars==1.2"]),
    ("polars===1.2", "invalid-requirement", ["polars==1.2"]),
    ("polars===unusual", "invalid-requirement", None),
    ("polars>=1 <2", "invalid-requirement", ["polars<2,>=1"]),
    ("polars>=1.*", "invalid-requirement", ["polars>=1"]),
    ("polars,", "invalid-requirement", ["polars"]),
    ('"polars[gpu]"', "invalid-requirement", ["polars[gpu]"]),
    ("'polars=1.2',", "invalid-requirement", ["polars==1.2"]),
    ("- polars", "invalid-requirement", ["polars"]),
    ("* polars>=1", "invalid-requirement", ["polars>=1"]),
    ("1. polars", "invalid-requirement", ["polars"]),
    ("polars\u00a0\u2265\u00a01", "invalid-requirement", ["polars>=1"]),
    ("\u201cpolars\u201d", "invalid-requirement", ["polars"]),
    ("polars, duckdb>=1", "invalid-requirement", ["polars", "duckdb>=1"]),
    ("pip install polars 'duckdb[x]>=1'", "invalid-requirement", ["polars", "duckdb[x]>=1"]),
    ("!pip3 install -q polars", "invalid-requirement", ["polars"]),
    ("%pip install --upgrade polars", "invalid-requirement", ["polars"]),
    ("python -m pip install -r other.txt", "invalid-requirement", None),
    ("conda install polars", "invalid-requirement", ["polars"]),
    ("```", "invalid-requirement", []),
    ("```python", "invalid-requirement", []),
    ("please install polars", "invalid-requirement", None),
    ("import polars as pl", "invalid-requirement", None),
    ("dependencies:", "invalid-requirement", None),
    ("[project]", "invalid-requirement", None),
    ("---", "invalid-requirement", None),
    ("==1.0", "invalid-requirement", None),
    ("polars ; extra == 'x'", "invalid-requirement", None),
    ("polars ; 'x' in extras", "invalid-requirement", None),
    ("polars ; sys_platform ~= 'linux'", "invalid-requirement", None),
    ("polars ; " + "(" * 2000 + "os_name == 'nt'" + ")" * 2000, "invalid-requirement", None),
    ("numpy=1.26.4=py311h64a7726_0", "conda-export", ["numpy==1.26.4"]),
    ("_libgcc_mutex=0.1=main", "conda-export", []),
    ("python=3.9.6=h12debd9_1", "conda-export", []),
    ("libpng=1.6.37=hbc83047_0", "conda-export", []),
    ("gmpy2=odd-version=h_0", "conda-export", None),
    ("<<<<<<< HEAD", "merge-conflict", []),
    ("=======", "merge-conflict", []),
    ("||||||| base", "merge-conflict", []),
    (">>>>>>> 173c53e7", "merge-conflict", []),
    ("pathlib", "stdlib-name", []),
    ("JSON>=1", "stdlib-name", []),
    (f"polars --hash=sha256:{SHA256}", "declaration-hash", None),
    (f"polars>=1 --hash=sha256:{SHA256}", "declaration-hash", None),
    (f"polars==1.* --hash=sha256:{SHA256}", "declaration-hash", None),
    ("polars==1 --hash=md5:d41d8cd98f00b204e9800998ecf8427e", "declaration-hash", None),
    ("polars==1 --hash=sha256:abc", "declaration-hash", None),
    ("-r", "declaration-option", []),
    ("-r ../base.txt", "declaration-include", None),
    ("-r other.txt -c limits.txt", "declaration-include", []),
    ("-r requirements.txt", "declaration-include", []),
]

NEIGHBOURS = {"other.txt": "", "limits.txt": ""}


@pytest.mark.makes(
    "invalid-requirement",
    "declaration-option",
    "declaration-url",
    "declaration-variable",
    "declaration-include",
    "stdlib-name",
    "merge-conflict",
    "declaration-hash",
    "conda-export",
)
@pytest.mark.parametrize(("line", "code", "mended"), REFUSED, ids=[line[:40] for line, _, _ in REFUSED])
def test_a_line_is_refused_with_its_place_and_its_fix_mends_it(line: str, code: str, mended: list[str] | None) -> None:
    files = {"requirements.txt": f"# first\naltair\n{line}  # why\nduckdb", **NEIGHBOURS}
    problem = only(files)
    assert (code, "error") == (problem.code, problem.level)
    assert problem.source is not None
    assert (problem.source.file, problem.source.line) == ("requirements.txt", 3)
    assert problem.hint
    assert problem.excerpt.startswith(line[:10].replace("\u00a0", " "))
    assert (mended is None) == (problem.fix is None)
    if problem.fix:
        assert ["altair", *(mended or []), "duckdb"] == texts(asked(applied(problem.fix, files)))


def test_every_code_that_a_line_can_have_is_tried() -> None:
    elsewhere = {
        *("declaration-encoding", "declaration-too-large", "declaration-syntax", "declaration-type", "declaration-key"),
        *("declaration-lock", "declaration-not-locked", "declaration-lock-wins", "declaration-dynamic"),
        "stdlib-backport",
    }
    of_group = {code for code, kind in KINDS.items() if kind.group == "declaration"}
    assert of_group - elsewhere == {code for _, code, _ in REFUSED}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("git+https://git.example/o/tool.git@v1#subdirectory=x", "`tool`"),
        ("git+https://git.example/o/tool@feature/x", "`tool`"),
        ("git+ssh://git@git.example/o/tool.git", "`tool`"),
        ("git@git.example:o/tool.git", "`tool`"),
        ("git+https://git.example/o/repo#egg=tool", "`tool`"),
        ("https://files.example/en_core_web_sm-3.7.1-py3-none-any.whl", "`en-core-web-sm==3.7.1`"),
        ("tool[x] @ https://files.example/tool.zip", "`tool[x]`"),
        ("requirements-dev.txt", "`-r requirements-dev.txt`"),
        ("--index-url https://index.example", "index that the operator set"),
        ("import polars as pl", "`polars`"),
    ],
)
def test_the_hint_says_what_to_write(line: str, wanted: str) -> None:
    assert wanted in only({"requirements.txt": line}).hint


def test_all_problems_of_all_files_are_raised_at_once_in_file_and_line_order() -> None:
    files = {
        "requirements.txt": "os\n-r more.txt\n--pre\n",
        "more.txt": "polars\njson\na=1\n",
        "_quarto.yml": "python:\n  dependencies: [sys]\n",
        "paper.qmd": "---\npython:\n  as-of: tomorrow\n  dependencies: [math]\n---\n",
    }
    places = [str(problem.source) for problem in refused(files, "paper.qmd")]
    assert places == [
        *("requirements.txt:1", "requirements.txt:3", "more.txt:2", "more.txt:3"),
        *("_quarto.yml:2", "paper.qmd:3", "paper.qmd:4"),
    ]


def test_a_fix_of_a_continued_line_takes_all_of_its_lines() -> None:
    files = {"requirements.txt": f"polars=1.2 \\\n    --hash=sha256:{SHA256}\nduckdb"}
    fix = only(files).fix
    assert fix is not None
    assert texts(asked(applied(fix, files))) == ["polars==1.2", "duckdb"]


@pytest.mark.makes("stdlib-backport")
def test_a_backport_is_kept_with_a_warning() -> None:
    declaration = asked({"requirements.txt": "dataclasses\nDateTime==5.4"})
    assert texts(declaration) == ["dataclasses", "DateTime==5.4"]
    assert [(remark.code, remark.level) for remark in declaration.remarks] == [("stdlib-backport", "warning")] * 2


def test_extras_of_a_constraint_are_refused_and_the_fix_removes_them() -> None:
    files = {"requirements.txt": "-c limits.txt", "limits.txt": "Polars[gpu] <2 ; os_name == 'nt'"}
    fix = only(files).fix
    assert fix is not None
    (constraint,) = asked(applied(fix, files)).constraints
    assert str(constraint.requirement) == 'polars<2; os_name == "nt"'


@pytest.mark.parametrize(
    "line",
    [
        "https://me:s3cret@index.example/tool.whl",
        "tool @ https://me:s3cret@index.example/tool.whl",
        "tool @ https://me:s3c/ret/s3cret@index.example/tool.whl",
        "tool @ https://s3cret@index.example/tool.whl",
        "tool @ git+ssh://me:s3cret@git.example/o/tool",
        "-e git+https://me:s3cret@git.example/o/tool.git#egg=tool",
        "--index-url https://me:s3cret@index.example/simple",
        "--index-url=https://s3cret@index.example/simple",
        "-r https://me:s3cret@index.example/requirements.txt",
        "-r me:s3cret@index.example/requirements.txt",
        "me:s3cret@git.example/o/tool",
        "https://files.example/tool.whl?token=s3cret#egg=tool",
        "pip install https://me:s3cret@index.example/tool.whl",
        '"https://me:s3cret@index.example/tool.whl"',
        "tool==1 --index-url https://me:s3cret@index.example/simple",
        "tool==1 --hash=sha256:me:s3cret@index.example",
        "polars=1.2  # from https://me:s3cret@index.example/simple",
        "https://me:${TOKEN}s3cret@index.example/simple",
    ],
)
def test_a_credential_is_in_no_problem(line: str) -> None:
    for place in ({"requirements.txt": line}, {"pyproject.toml": f"[project]\ndependencies = ['''{line}''']"}):
        for problem in refused(place):
            assert "s3cret" not in str(problem.to_json())


def test_a_long_line_is_cut_in_the_excerpt() -> None:
    problem = only({"requirements.txt": "x " * 1000})
    assert (len(problem.excerpt), problem.excerpt.endswith("…")) == (200, True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("polars[", "a bracket is opened and never closed"),
        ("polars (>=1", "a bracket is opened and never closed"),
        ("polars; foo == 'x'", 'what follows `;` is not a condition such as `python_version < "3.12"`'),
    ],
)
def test_the_parsers_own_terms_are_kept_from_authors(line: str, reason: str) -> None:
    with pytest.raises(NotARequirement, match=re.escape(reason)):
        parse(line)


@pytest.mark.parametrize(
    "line", ["ruamel.yaml", "ruamel.yaml>=0.18", "Ruamel.YAML[jinja2]", 'ruamel.yaml ; python_version > "3"']
)
@pytest.mark.parametrize("file", ["requirements.txt", "limits.txt"])
def test_a_package_with_a_name_like_that_of_a_file_is_one(line: str, file: str) -> None:
    if file == "requirements.txt":
        (declared,) = asked({file: line}).requirements
        assert canonicalize_name(declared.requirement.name) == "ruamel-yaml"
    elif "[" not in line:
        assert len(asked({"requirements.txt": f"-c {file}", file: line}).constraints) == 1


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("requirements.yaml", "requirements-yaml"),
        ("environment.prod.yml", "environment-prod-yml"),
        ("ruamel.toml", "ruamel-toml"),
        ("requirements-dev.txt", "requirements-dev-txt"),
    ],
)
def test_any_other_name_like_that_of_a_file_is_told_both_ways_to_write_it(line: str, package: str) -> None:
    problem = only({"requirements.txt": line})
    assert problem.code == "declaration-url"
    assert f"`-r {line}`" in problem.hint
    assert f"`{package}`" in problem.hint
    assert texts(asked({"requirements.txt": package})) == [package]


def test_what_is_no_name_of_a_package_is_the_name_of_a_file_alone() -> None:
    assert "A package" not in only({"requirements.txt": "_quarto.yml"}).hint


CONFLICT = f"""<<<<<<< HEAD
polars==1.0 \\
=======
polars==2.0 \\
>>>>>>> other
    --hash=sha256:{SHA256}
duckdb=1
"""


@pytest.mark.parametrize(
    "text",
    [
        CONFLICT,
        f"polars==1.0 \\\n<<<<<<< HEAD\n    --hash=sha256:{SHA256}\n=======\n    --hash=sha256:{SHA256}\n>>>>>>> x\n",
    ],
)
def test_a_merge_inside_a_continued_line_is_told_and_left_to_its_author(text: str) -> None:
    found = refused({"requirements.txt": text})
    assert "merge-conflict" in {one.code for one in found}
    assert [one.fix for one in found] == [None] * len(found)


def test_a_merge_inside_one_file_keeps_no_edit_from_another() -> None:
    found = refused({"requirements.txt": f"-r more.txt\n{CONFLICT}", "more.txt": "polars=1.2\n"})
    assert {one.source.file for one in found if one.source and one.fix} == {"more.txt"}


def test_a_hash_that_lost_its_requirement_is_not_deleted() -> None:
    problem = only({"requirements.txt": f"polars==1.0\n    --hash=sha256:{SHA256}\n"})
    assert (problem.code, problem.fix) == ("declaration-option", None)
    assert "end the line before it with a backslash" in problem.hint


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"polars=1.2 \\\n    --hash=sha256:{SHA256}  # why", f"polars==1.2 --hash=sha256:{SHA256}  # why"),
        ("--index-url \\\n    https://index.example/simple \\\n    # theirs\nduckdb", "duckdb"),
        ("polars \\\n    =1.2 \\\n    # why\nduckdb", "polars==1.2  # why\nduckdb"),
    ],
)
def test_a_fix_of_a_continued_line_keeps_its_comment_where_something_stays(text: str, after: str) -> None:
    problem = only({"requirements.txt": text})
    assert problem.fix is not None
    mended = applied(problem.fix, {"requirements.txt": text})["requirements.txt"]
    assert re.sub(r" +(?=--)", " ", mended) == after


def test_an_entry_of_a_list_whose_text_stands_there_twice_gets_no_edit() -> None:
    found = refused({"_quarto.yml": "python:\n  dependencies: [b=1, ab=1]\n"})
    assert found[0].fix is None
    assert found[1].fix is not None
    assert [edit.new for edit in found[1].fix.edits] == ["  dependencies: [b=1, ab==1]"]
