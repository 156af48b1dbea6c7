"""Whether the kernel that a document names can be the project's own interpreter."""

from __future__ import annotations

from collections.abc import Mapping

from recto.problems import Problem, Source, problem

_OWN = ("python3", "python")


def foreign_kernel(metadata: Mapping[str, object], file: str) -> Problem | None:
    """The problem with `jupyter:` in the front matter, or with a notebook's stored kernel; None where there is none.

    A stored Python kernel may have any name: it is that of an environment on the machine where the notebook was saved.
    """
    value = metadata.get("jupyter")
    name, language = _stored(value) if isinstance(value, Mapping) else (value, None)
    if name is None or name in _OWN or language == "python":
        return None
    return problem("kernel-missing", source=Source(file), kernel=name)


def _stored(value: Mapping[str, object]) -> tuple[object, object]:
    spec = value.get("kernelspec")
    if not isinstance(spec, Mapping):
        return None, None
    return spec.get("name"), str(spec.get("language", "")).lower()
