"""An exception's name and words as a cause: missing modules, libraries, files and memory before mere errors."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from recto.problems.diagnosis.finding import Facts, Finding
from recto.problems.diagnosis.text import clean
from recto.problems.diagnosis.wording import worded
from recto.problems.modules import hint_for_module
from recto.problems.problem import Problem, Source

# What the interpreter must hold for Quarto or nbclient to run cells at all.
JUPYTER_MODULES = frozenset(
    {"ipykernel", "ipykernel_launcher", "jupyter", "jupyter_client", "jupyter_core", "nbclient", "nbformat"}
)

_MODULE = re.compile(r"No module named '?\"?([A-Za-z_][\w.]{0,200})'?\"?")
_OPTIONAL = re.compile(
    r"(?:Missing optional dependency|[`'\"]?Import\w{0,20} error:? missing) '?([A-Za-z0-9][\w.-]{0,80})'?"
    r"|\b(?:[Pp]lease install|pip install|requires) [`'\"]?([A-Za-z0-9][\w.-]{0,80})[`'\"]?"
)
_LIBRARY = re.compile(
    r"(?:^|[\s:(/\\'\"])([\w.+-]{1,120}\.(?:so(?:\.[\d.]{1,20})?|dylib|dll))\b[^\n]{0,40}"
    r"(?:cannot open shared object file|error 0x7e|image not found|not found)",
    re.IGNORECASE,
)
_LIBRARY_NAMED = re.compile(
    r"(?:cannot load library|no library called|Could not find module|Library not loaded:|[Uu]nable to load library"
    r"|could not load library) "
    r"['\"]?([^'\"\n]{1,300})['\"]?|DLL load failed while importing (\w{1,80})|DLL load failed()|\[WinError 126\]()"
    r"|(?:[Ff]ailed to|[Cc]ould not|[Cc]annot|[Uu]nable to) (?:find|locate|load) (?:the )?[`'\"]?(lib[\w+-]{2,60})\b"
)
# The library itself is there, and too old.
_LIBRARY_VERSION = re.compile(r"version [`'](GLIBC(?:XX)?_[\d.]{1,20}|CXXABI_[\d.]{1,20})' not found")
_NO_PACKAGE = re.compile(r"; '[\w.]{1,200}' is not a package")
_ABI = re.compile(
    r"size changed, may indicate binary incompatibility|\b(?:multiarray|umath) failed to import|_ARRAY_API not found"
    r"|compiled (?:against|using) (?:ABI|API|NumPy)|undefined symbol: |mach-o[^\n]{0,60}incompatible architecture"
    r"|built against a different version|bad magic number in '|module was compiled for Python"
)
_ABI_OF = re.compile(r"site-packages[\\/](\w{1,80})")
# The names that numpy's C interface has for itself; they stand in messages about extensions that use it.
_ABI_OF_NUMPY = re.compile(r"numpy|_ARRAY_API|multiarray|umath", re.IGNORECASE)
_QUOTED_PATH = re.compile(r"['\"]([^'\"\n]{1,400})['\"]")
_NO_FILE = re.compile(
    r"No such file or directory|cannot find the (?:file|path) specified|does not exist|not found", re.IGNORECASE
)
_MEMORY = re.compile(r"out of memory|Unable to allocate|[Cc]annot allocate memory|bad_alloc|OOM when allocating")
_SECONDS = re.compile(r"after (\d{1,9}) seconds")


class Cause(Struct, frozen=True):
    """What an exception comes down to: a code of the catalogue with the facts that its words need."""

    code: str
    package: str | None
    facts: Facts


def classified(ename: str, evalue: str) -> Cause:
    """The cause that this exception is; `cell-error` where it is the code's own."""
    ename = ename.rsplit(".", 1)[-1]
    evalue = evalue[:4000]
    for reading in _READINGS:
        cause = reading(ename, evalue)
        if cause is not None:
            return cause
    words = f"{ename}: {evalue}" if evalue.strip() else ename
    return Cause("cell-error", None, {"error": words.split("\n", 1)[0]})


def from_exception(
    ename: str,
    evalue: str,
    *,
    document: str = "",
    cell: int | None = None,
    traceback: str = "",
    source: Source | None = None,
    seconds: float | None = None,
) -> Problem:
    """The problem that a kernel's error message is.

    `ename`, `evalue` and `traceback` are the message's own fields; `cell` counts code cells from 1; `seconds` is the
    time limit, which the words of a `cell-timeout` need.
    """
    cause = classified(ename, clean(evalue))
    facts = dict(cause.facts)
    facts |= {"document": document} if document else {}
    facts |= {"cell": str(cell)} if cell is not None else {}
    facts |= {"seconds": f"{seconds:g}"} if seconds is not None else {}
    told = clean(traceback) or f"{ename}: {evalue}"
    finding = Finding(cause.code, 0, len(told), cause.package, facts, source)
    return worded(finding, told)


def _module(ename: str, evalue: str) -> Cause | None:
    match = _MODULE.search(evalue)
    if ename not in ("ModuleNotFoundError", "ImportError", "PackageNotFoundError") or match is None:
        return None
    if ename == "ImportError" and _LIBRARY.search(evalue):
        # A list of what was tried: modules that are only faster, and the library that the last resort needs.
        return None
    # A module of that name is there, often the author's own file in the way of the package that is meant.
    if _NO_PACKAGE.match(evalue, match.end()):
        return None
    module = match[1].rstrip(".")
    top = module.split(".")[0]
    code = "jupyter-missing" if top in JUPYTER_MODULES else "missing-module"
    return Cause(code, top, {"hint": hint_for_module(module)})


def _optional(ename: str, evalue: str) -> Cause | None:
    match = _OPTIONAL.search(evalue) if ename == "ImportError" else None
    if match is None:
        return None
    module = match[1] or match[2]
    return Cause("missing-module", module, {"hint": hint_for_module(module)})


def _abi(ename: str, evalue: str) -> Cause | None:
    if ename not in ("ImportError", "ValueError", "RuntimeError", "AttributeError", "OSError") or not _ABI.search(
        evalue
    ):
        return None
    place = _ABI_OF.search(evalue)
    return Cause("abi-mismatch", "numpy" if _ABI_OF_NUMPY.search(evalue) else place[1] if place else None, {})


def _library(ename: str, evalue: str) -> Cause | None:
    if ename not in ("ImportError", "OSError", "FileNotFoundError", "LibraryNotFoundError", "RuntimeError"):
        return None
    match = _LIBRARY_VERSION.search(evalue) or _LIBRARY.search(evalue) or _LIBRARY_NAMED.search(evalue)
    if match is None:
        return None
    name = next((group for group in match.groups() if group), "")
    return Cause("shared-library-missing", None, {"library": name} if name else {})


def _memory(ename: str, evalue: str) -> Cause | None:
    if ename in ("MemoryError", "OutOfMemoryError", "_ArrayMemoryError") or _MEMORY.search(evalue):
        return Cause("out-of-memory", None, {})
    return None


def _file(ename: str, evalue: str) -> Cause | None:
    if ename not in ("FileNotFoundError", "NotADirectoryError") and not (
        ename in ("OSError", "IOError") and _NO_FILE.search(evalue)
    ):
        return None
    path = _QUOTED_PATH.search(evalue)
    return Cause("cell-missing-file", None, {"path": path[1]} if path else {})


def _timeout(ename: str, evalue: str) -> Cause | None:
    if ename != "CellTimeoutError":
        return None
    seconds = _SECONDS.search(evalue)
    return Cause("cell-timeout", None, {"seconds": seconds[1]} if seconds else {})


def _kernel(ename: str, evalue: str) -> Cause | None:
    if ename == "DeadKernelError":
        return Cause("kernel-died", None, {})
    if ename == "NoSuchKernel":
        name = evalue.rsplit(" ", 1)[-1].strip()
        return Cause("kernel-missing", None, {"kernel": name} if name else {})
    if ename in ("NotJSONError", "NotebookValidationError", "ValidationError") and "otebook" in ename + evalue:
        return Cause("notebook-invalid", None, {"reason": evalue.split("\n", 1)[0]})
    return None


_READINGS: tuple[Callable[[str, str], Cause | None], ...] = (
    _module,
    _abi,
    _library,
    _memory,
    _timeout,
    _kernel,
    _file,
    _optional,
)
