"""A stand-in for Quarto 1.7, for machines without it: it finds interpreters and kernels as Quarto was seen to do, runs
the cells with a real kernel, fails with Quarto's words, and writes a plain page instead of calling pandoc.

It is the part that Deno runs; the launcher in front of it is a shell script that does not exec, as Quarto's.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

HERE = Path(__file__).resolve().parent
CELL = re.compile(r"^```\{python\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FRONT = re.compile(r"\A---\n(.*?)^---$", re.MULTILINE | re.DOTALL)
PROBE = """
import importlib.metadata as m, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return "null"
print("versionMajor:", sys.version_info[0]); print("executable:", sys.executable)
for name in ("jupyter_core", "nbformat", "nbclient", "ipykernel"): print(name + ":", version(name))
"""
EXTENSIONS = {"html": "html", "pdf": "pdf", "typst": "pdf", "docx": "docx", "revealjs": "html"}


class Failed(Exception):
    """Ends the render with exit status 1."""


class Talk:
    """Everything goes to stderr and to the JSON log; `--quiet` silences both, the error of a cell included."""

    def __init__(self, log: str | None, *, quiet: bool) -> None:
        self._log = Path(log) if log else None
        self._quiet = quiet

    def say(self, text: str, level: int = 20, name: str = "INFO") -> None:
        if self._quiet:
            return
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        if self._log:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"msg": text, "level": level, "levelName": name}) + "\n")

    def warn(self, text: str) -> None:
        self.say(f"WARN: {text}", 30, "WARNING")

    def fail(self, text: str) -> NoReturn:
        self.say(f"ERROR: {text}", 40, "ERROR")
        raise Failed


def probed(python: str) -> dict[str, Any] | None:
    """What an interpreter says of itself; None, and no word about it, where it fails or prints anything else too."""
    try:
        answer = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=True).stdout
        capabilities = yaml.safe_load(answer)
    except (OSError, subprocess.CalledProcessError, yaml.YAMLError):
        return None
    return capabilities if isinstance(capabilities, dict) and "executable" in capabilities else None


def interpreter(talk: Talk, project: Path) -> dict[str, Any]:
    """QUARTO_PYTHON where its probe succeeds, else `python3` of the PATH; it warns only of a path that is not there."""
    named = os.environ.get("QUARTO_PYTHON") or environment_file(project).get("QUARTO_PYTHON")
    if named:
        found = shutil.which("python3", path=named) if Path(named).is_dir() else shutil.which(named)
        if found is None:
            talk.warn(f"Specified QUARTO_PYTHON '{named}' does not exist")
            talk.warn(f"No python binary found in specified QUARTO_PYTHON location '{named}'")
        elif probed(found) and (capabilities := probed(found)):
            return capabilities
    fallback = shutil.which("python3")
    capabilities = probed(fallback) if fallback else None
    if capabilities is None:
        talk.fail("Unable to locate an installed version of Python 3.")
    return capabilities


def environment_file(project: Path) -> dict[str, str]:
    file = project / "_environment"
    lines = file.read_text().splitlines() if file.is_file() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


def kernelspec(talk: Talk, python: dict[str, Any], asked: object) -> dict[str, str]:
    """The kernel that the document asks for, or the first that speaks Python, or `python3` where there is none."""
    if isinstance(asked, dict) and "kernelspec" in asked:
        return dict(asked["kernelspec"])
    known = dict(kernels(python["executable"]))
    if isinstance(asked, str):
        if asked not in known:
            talk.fail(
                f"Jupyter kernel '{asked}' not found. Known kernels: {', '.join(known)}. Run 'quarto check jupyter' "
                "with your python environment activated to check python version used."
            )
        return known[asked]
    speaking = [spec for spec in known.values() if spec["language"] == "python"]
    active = os.environ.get("VIRTUAL_ENV")
    preferred = [spec for spec in speaking if active and active in spec["path"]]
    return (preferred or speaking or [{"name": "python3", "language": "python", "display_name": "Python 3"}])[0]


def kernels(python: str) -> Iterator[tuple[str, dict[str, str]]]:
    paths = subprocess.run([python, "-m", "jupyter", "--paths", "--json"], capture_output=True, check=True).stdout
    for data in json.loads(paths)["data"]:
        for file in sorted(Path(data).glob("kernels/*/kernel.json")):
            yield file.parent.name, {**json.loads(file.read_text()), "name": file.parent.name, "path": str(file)}


def notebook_of(document: Path, kernel: dict[str, str]) -> dict[str, Any]:
    if document.suffix == ".ipynb":
        return dict(json.loads(document.read_text()))
    sources = CELL.findall(document.read_text())
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for n, source in enumerate((source.rstrip("\n") for source in sources), 1)
    ]
    spec = {"name": kernel["name"], "language": "python", "display_name": kernel.get("display_name", "Python 3")}
    return {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}


def executed(talk: Talk, document: Path, project: Path, asked: object) -> dict[str, Any]:
    """The notebook with its outputs, run beside the document in a transient file."""
    python = interpreter(talk, project)
    if python["jupyter_core"] is None:
        talk.say(f"Python 3 installation:\n  Version: 3\n  Path: {python['executable']}\n  Jupyter: (None)\n")
        talk.say("Jupyter is not available in this Python installation.\nInstall with python3 -m pip install jupyter")
        raise Failed
    kernel = kernelspec(talk, python, asked) if document.suffix != ".ipynb" else {"name": "python3"}
    transient = document.with_suffix(".quarto_ipynb")
    transient.write_text(json.dumps(notebook_of(document, kernel)))
    try:
        talk.say("\nStarting python3 kernel...")
        run = [python["executable"], str(HERE / "notebook-runner"), str(transient)]
        with subprocess.Popen(run, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as runner:
            assert runner.stderr is not None
            try:
                for line in runner.stderr:
                    talk.say(line.rstrip("\n"))
            except SystemExit:
                runner.terminate()
                raise
        if runner.returncode:
            raise Failed
        return dict(json.loads(transient.read_text()))
    finally:
        transient.unlink()


def texts(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            yield "".join(output.get("text", []) or output.get("data", {}).get("text/plain", []))


def options_of(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text()) or {}) if path.is_file() else {}


def render(arguments: argparse.Namespace, talk: Talk) -> None:
    document = Path(arguments.document).resolve()
    if not document.is_file():
        talk.fail("No valid input files passed to render")
    project = next((d for d in document.parents if (d / "_quarto.yml").is_file()), document.parent)
    settings = options_of(project / "_quarto.yml")
    match = FRONT.match(document.read_text())
    front = {**settings, **((yaml.safe_load(match[1]) or {}) if match else {})}
    to = arguments.to or next(iter(front["format"] if isinstance(front.get("format"), dict) else ["html"]))
    if to not in EXTENSIONS:
        talk.fail(f"Unknown format {to}")
    runs = arguments.execute if document.suffix == ".ipynb" else bool(CELL.search(document.read_text()))
    enabled = front.get("execute", {}).get("enabled", True) and document.suffix != ".md"
    asked = front.get("jupyter")
    page = "\n".join(texts(executed(talk, document, project, asked))) if runs and enabled else "nothing was run"
    site = settings.get("project", {}).get("output-dir")
    folder = project / site / document.parent.relative_to(project) if site else document.parent
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"{document.stem}.{EXTENSIONS[to]}"
    output.write_text(f"<pre>{page}</pre>\n")
    if output.suffix == ".html":
        libraries = (project / site / "site_libs") if site else folder / f"{document.stem}_files" / "libs"
        libraries.mkdir(parents=True, exist_ok=True)
        (libraries / "quarto.js").write_text("// a library\n")
    talk.say(f"Output created: {os.path.relpath(output, document.parent)}\n")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="quarto", allow_abbrev=False)
    top.add_argument("--version", action="version", version="1.7.34")
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("render", allow_abbrev=False)
    one.add_argument("document")
    for name in ("--to", "--log", "--log-format"):
        one.add_argument(name)
    for name in ("--execute", "--no-execute-daemon", "--no-cache", "--quiet"):
        one.add_argument(name, action="store_true")
    inspect = commands.add_parser("inspect")
    inspect.add_argument("document")
    return top


def inspected(document: Path) -> dict[str, Any]:
    cells = CELL.findall(document.read_text())
    engine = "jupyter" if cells else "markdown"
    code = [{"source": source, "language": "python"} for source in cells]
    return {"engines": [engine], "formats": {}, "fileInformation": {document.name: {"codeCells": code}}}


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments = parser().parse_args()
    if arguments.command == "inspect":
        sys.stdout.write(json.dumps(inspected(Path(arguments.document))))
        return 0
    talk = Talk(arguments.log, quiet=arguments.quiet)
    try:
        render(arguments, talk)
    except Failed:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
