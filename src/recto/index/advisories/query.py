"""Questions in the shape of OSV's service, so that `pip-audit --osv-url` and `uv audit --service-url` can ask here.

Each function takes what the body of a request decodes to, and gives what the body of the answer encodes. A question
that cannot be answered from advisories about Python packages is an error: an empty answer reads as "nothing known".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name
from packaging.version import Version

from recto.index.advisories.collection import Advisories, Kept

# As many as OSV's service takes. `uv audit` asks for so many at once.
QUERIES_MAX = 1000

_PURL = re.compile(r"pkg:(?://)?pypi/([^/@?#]+)(?:@([^/@?#]*))?(?:\?[^#]*)?(?:#.*)?", re.IGNORECASE)


def answer_query(advisories: Advisories, query: object) -> dict[str, Any]:
    """`POST /v1/query`: `vulns`, whole records in the order of their ids, or nothing where nothing holds.

    Raises ValueError with a sentence about what is wrong with the question.
    """
    found = [kept.document for kept in _holding(advisories, query)]
    return {"vulns": found} if found else {}


def answer_batch(advisories: Advisories, batch: object) -> dict[str, Any]:
    """`POST /v1/querybatch`: `results`, for each question `vulns` with `id` and `modified` only.

    Raises ValueError as `answer_query` does, with the number of the question, from 0.
    """
    queries = batch.get("queries") if isinstance(batch, Mapping) else None
    if not isinstance(queries, list):
        raise ValueError("the question has no list `queries`")
    if len(queries) > QUERIES_MAX:
        raise ValueError(f"there are {len(queries)} questions, and at most {QUERIES_MAX} are answered at once")
    return {"results": [_short(advisories, number, query) for number, query in enumerate(queries)]}


def answer_record(advisories: Advisories, identifier: str) -> dict[str, Any] | None:
    """`GET /v1/vulns/ID`: the whole record; None where there is none that holds for anything."""
    kept = advisories.find(identifier)
    return kept.document if kept else None


def _short(advisories: Advisories, number: int, query: object) -> dict[str, Any]:
    try:
        found = _holding(advisories, query)
    except ValueError as error:
        raise ValueError(f"question {number}: {error}") from error
    return {"vulns": [{"id": kept.advisory.id, "modified": kept.modified} for kept in found]} if found else {}


def _holding(advisories: Advisories, query: object) -> list[Kept]:
    name, version = _asked(query)
    about = advisories.about(name)
    if version is None:
        return list(about)
    ids = {advisory.id for advisory in advisories.at(name, version)}
    return [kept for kept in about if kept.advisory.id in ids]


def _asked(query: object) -> tuple[str, Version | None]:
    """The normalised name and the version that are asked about. As in OSV's service, empty is the same as absent."""
    if not isinstance(query, Mapping):
        raise ValueError("the question is not an object")
    if query.get("commit"):
        raise ValueError("commits are not known here; `package` says what to ask about")
    if query.get("page_token"):
        raise ValueError("answers here have one page, so no `page_token` was given out")
    name, version = _package(query.get("package"))
    asked = query.get("version")
    if asked and version:
        raise ValueError("the version stands in both `purl` and `version`")
    text = asked or version
    if not text:
        return name, None
    if not isinstance(text, str):
        raise ValueError("`version` is not a text")
    try:
        return name, Version(text)
    except ValueError as error:  # also a number with thousands of digits
        raise ValueError(f"`version` is not a version of a Python package: {text[:60]!r}") from error


def _package(package: object) -> tuple[str, str | None]:
    if not isinstance(package, Mapping):
        raise ValueError("the question has no object `package`")
    purl, name, ecosystem = (package.get(key) or None for key in ("purl", "name", "ecosystem"))
    if purl is not None:
        if name is not None or ecosystem is not None:
            raise ValueError("`package` has either a `purl`, or a `name` and an `ecosystem`")
        match = _PURL.fullmatch(purl) if isinstance(purl, str) else None
        if match is None:
            raise ValueError("`purl` does not begin with `pkg:pypi/` and a name, and only such packages are known here")
        return canonicalize_name(unquote(match[1])), unquote(match[2]) if match[2] else None
    if not isinstance(name, str):
        raise ValueError("`package` has no `name`")
    if not isinstance(ecosystem, str) or ecosystem.partition(":")[0].lower() != "pypi":
        raise ValueError("the `ecosystem` of `package` is not `PyPI`, and no other is known here")
    return canonicalize_name(name), None
