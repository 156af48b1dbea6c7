"""What a kernel's error fields, and tracebacks in a log, come down to."""

from __future__ import annotations

import pytest

from recto.problems import Source
from recto.problems.diagnosis import diagnose
from recto.problems.diagnosis.exceptions import from_exception


@pytest.mark.parametrize(
    ("ename", "evalue", "code", "package"),
    [
        ("ModuleNotFoundError", "No module named 'polars'", "missing-module", "polars"),
        ("ModuleNotFoundError", "No module named 'sklearn.externals'", "missing-module", "sklearn"),
        ("ImportError", "No module named flask_cors", "missing-module", "flask_cors"),
        ("ModuleNotFoundError", "No module named 'ipykernel'", "jupyter-missing", "ipykernel"),
        (
            "ImportError",
            "Missing optional dependency 'openpyxl'. Use pip to install openpyxl.",
            "missing-module",
            "openpyxl",
        ),
        ("ImportError", "libGL.so.1: cannot open shared object file: No such file", "shared-library-missing", None),
        ("OSError", "cannot load library 'C:\\R\\R.dll': error 0x7e", "shared-library-missing", None),
        ("ImportError", "DLL load failed while importing _core: not found", "shared-library-missing", None),
        ("ValueError", "numpy.dtype size changed, may indicate binary incompatibility", "abi-mismatch", "numpy"),
        ("ImportError", "numpy.core.multiarray failed to import", "abi-mismatch", "numpy"),
        ("MemoryError", "", "out-of-memory", None),
        ("RuntimeError", "CUDA out of memory. Tried to allocate 2 GiB", "out-of-memory", None),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'a.csv'", "cell-missing-file", None),
        ("CellTimeoutError", "A cell timed out, after 30 seconds.", "cell-timeout", None),
        ("DeadKernelError", "Kernel died", "kernel-died", None),
        ("NoSuchKernel", "No such kernel named ir", "kernel-missing", None),
        ("NotJSONError", "Notebook does not appear to be JSON: ''", "notebook-invalid", None),
        ("ImportError", "cannot import name 'x' from 'y'", "cell-error", None),
        ("ModuleNotFoundError", "No module named 'a.b'; 'a' is not a package", "cell-error", None),
        ("ImportError", "attempted relative import with no known parent package", "cell-error", None),
        ("ZeroDivisionError", "division by zero", "cell-error", None),
    ],
)
def test_an_exception_has_its_cause(ename: str, evalue: str, code: str, package: str | None) -> None:
    problem = from_exception(ename, evalue, document="paper.qmd", cell=3, seconds=30)

    assert (problem.code, problem.package) == (code, package)
    assert problem.message.endswith(".")


def test_a_failing_cell_is_named_with_its_document_and_its_error() -> None:
    problem = from_exception(
        "ZeroDivisionError", "division by zero", document="paper.qmd", cell=3, source=Source("paper.qmd", 12)
    )

    assert problem.message == "Cell 3 of `paper.qmd` failed: ZeroDivisionError: division by zero."
    assert problem.source == Source("paper.qmd", 12)


def test_a_missing_module_is_told_with_the_line_to_add() -> None:
    problem = from_exception("ModuleNotFoundError", "No module named 'cv2'")

    assert problem.message == "The module `cv2` is not installed."
    assert problem.hint == "Add the line `opencv-python-headless` to `requirements.txt`."


def test_the_traceback_is_the_excerpt_without_its_colours() -> None:
    problem = from_exception("ValueError", "no", traceback="\x1b[31mValueError\x1b[39m: no")

    assert problem.excerpt == "ValueError: no"


def test_the_first_missing_module_is_the_cause_of_what_was_raised_while_handling_it() -> None:
    log = (
        "An error occurred while executing the following cell:\n------------------\nimport scipy\n"
        "ModuleNotFoundError                       Traceback (most recent call last)\n"
        "ModuleNotFoundError: No module named 'scipy'\n\nDuring handling of the above exception, another exception "
        "occurred:\n\nNameError                                 Traceback (most recent call last)\n"
        "NameError: name 'importError' is not defined\n"
    )

    assert [problem.code for problem in diagnose(log)] == ["missing-module", "cell-error"]


def test_an_exception_of_a_packages_own_name_counts_where_its_traceback_is_headed_by_it() -> None:
    log = "Oops                      Traceback (most recent call last)\nCell In[1], line 1\n\nOops: it broke\n"

    assert diagnose(log)[0].message == "A cell of the document failed: Oops: it broke."


def test_a_connection_that_a_cell_opened_is_the_cells_own_error() -> None:
    log = (
        "ConnectTimeout                            Traceback (most recent call last)\nCell In[1], line 1\n\n"
        "ConnectTimeout: HTTPSConnectionPool(host='data.example', port=443): Read timed out.\n"
    )

    assert diagnose(log)[0].code == "cell-error"


def test_a_system_library_that_is_too_old_is_named_by_the_version_that_is_asked_for() -> None:
    evalue = "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /x/site-packages/foo/_c.so)"

    assert "`GLIBC_2.38`" in from_exception("ImportError", evalue).message


def test_an_error_that_a_cell_only_printed_is_not_its_cause() -> None:
    log = (
        "An error occurred while executing the following cell:\n------------------\nrun()\n------------------\n\n"
        "----- stdout -----\nModuleNotFoundError: No module named 'faked'\n------------------\n\n"
        "ZeroDivisionError                         Traceback (most recent call last)\nCell In[1], line 1\n"
        "ZeroDivisionError: division by zero\n"
    )

    assert [found.message for found in diagnose(log)] == [
        "A cell of the document failed: ZeroDivisionError: division by zero."
    ]


def test_the_words_that_papermill_wraps_an_error_in_are_no_error_of_the_document() -> None:
    log = (
        "papermill.exceptions.PapermillExecutionError: \n------------------\n"
        "FileNotFoundError                         Traceback (most recent call last)\nCell In[2], line 1\n"
        "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'\n"
    )

    assert [found.code for found in diagnose(log)] == ["cell-missing-file"]


def test_every_error_of_an_exception_group_is_read() -> None:
    log = (
        "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: many (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n    | ValueError: a\n    +---------------- 2 ----------------\n"
        "    | ModuleNotFoundError: No module named 'cv2'\n    +------------------------------------\n"
    )

    assert [(found.code, found.package) for found in diagnose(log)] == [("missing-module", "cv2")]
