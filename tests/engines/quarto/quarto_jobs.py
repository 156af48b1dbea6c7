"""Jobs for the tests of the Quarto engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

from recto.engines.base import Job, Rendered

HELLO = """---
title: Hello
---

```{python}
#| label: one
print("hello", 6 * 7)
```

```{python}
import sys
print(sys.prefix)
```
"""


def job(project: Path, prefix: Path, text: str = HELLO, name: str = "paper.qmd", **more: object) -> Job:
    """The job of rendering this text, written as a document of the project."""
    document = project / name
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(text)
    base = Job(document, project, prefix / "bin" / "python", prefix)
    return Job(**{**{field: getattr(base, field) for field in Job.__struct_fields__}, **more})


def notebook(*sources: str, kernel: str = "python3") -> str:
    """A notebook with these code cells, never run."""
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for n, source in enumerate(sources)
    ]
    spec = {"name": kernel, "language": "python", "display_name": kernel}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5})


def codes(rendered: Rendered) -> list[str]:
    """The codes of the problems, in order."""
    return [problem.code for problem in rendered.problems]


class WriteKernel(Protocol):
    """Puts a kernelspec into the Jupyter data directory of a prefix."""

    def __call__(self, prefix: Path, name: str, python: str, **more: object) -> None: ...
