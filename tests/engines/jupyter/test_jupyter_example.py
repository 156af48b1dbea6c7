"""The example and real drawing packages, rendered whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from recto.engines.base import Job, Rendered
from recto.engines.jupyter import JupyterEngine
from recto.interpreters import Base, probe
from recto.progress import silent

pytest_plugins = ("jupyter_fixtures",)

pytestmark = [pytest.mark.network, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "penguins"

DRAWN = """```{python}
#| fig-width: 3
#| fig-height: 2
import matplotlib.pyplot as plt
plt.plot([1, 2]);
```

```{python}
plt.plot([1, 2]);
```

```{python}
import plotly.graph_objects as go
go.Figure(go.Scatter(y=[1, 2]))
```

```{python}
go.Figure(go.Bar(y=[1, 2]))
```
"""


@pytest.fixture(scope="module")
def drawing_base(
    tmp_path_factory: pytest.TempPathFactory, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]
) -> Base:
    """An environment with what the example declares and what it expects of a base, and plotly."""
    directory = tmp_path_factory.mktemp("drawing") / "env"
    quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache))
    subprocess.run([uv, "venv", *quiet, "--python", sys.executable, directory], check=True, env=network_environment)
    install: list[str | Path] = [uv, "pip", "install", *quiet, "--python", directory / "bin" / "python"]
    names = ("ipykernel", "nbclient", "nbformat", "PyYAML", "numpy", "matplotlib", "plotly")
    subprocess.run([*install, *names, "-r", EXAMPLE / "requirements.txt"], check=True, env=network_environment)
    return probe(directory / "bin" / "python")


def rendered(engine: JupyterEngine, base: Base, document: Path, *formats: str) -> Rendered:
    environment = {"PATH": "/usr/bin:/bin"}
    job = Job(document, document.parent, base.python, base.prefix, formats, environment=environment)
    return engine.render(job, silent)


def test_the_example_renders_to_every_format(engine: JupyterEngine, drawing_base: Base, tmp_path: Path) -> None:
    project = tmp_path / "penguins"
    shutil.copytree(EXAMPLE, project)
    result = rendered(engine, drawing_base, project / "penguins.qmd", "html", "docx", "pdf")
    assert (result.status, result.problems, len(result.outputs)) == ("success", (), 3)
    html = " ".join((project / "penguins.html").read_text().replace("\u00a0", " ").split())
    assert "344 penguins of 3 species from 3 islands; 342 of them" in html
    assert "heaviest species is Gentoo, at 5.1 kg" in html
    assert html.count('src="data:image/png;base64,') == 1
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)[^"']*""", html) == []
    for label in ("Figure 1: Length and depth", "Table 1: Mean measurements"):
        assert label in html
    with zipfile.ZipFile(project / "penguins.docx") as archive:
        assert archive.read("word/document.xml").count(b"<w:tbl>") == 2
    assert (project / "penguins.pdf").stat().st_size > 20_000


def test_figures_have_their_sizes_and_plotly_comes_once(
    engine: JupyterEngine, drawing_base: Base, tmp_path: Path
) -> None:
    document = tmp_path / "paper.qmd"
    document.write_text(DRAWN)
    assert rendered(engine, drawing_base, document).status == "success"
    html = (tmp_path / "paper.html").read_text()
    small, usual = (int(width) for width in re.findall(r'<img[^>]*width="(\d+)"', html))
    assert small < 310 < 590 < usual
    assert html.count("Plotly.newPlot('chart-") == 2
    assert html.count("plotly.js v") == 1
    assert not re.search(r"<script[^>]*\bsrc=", html)
