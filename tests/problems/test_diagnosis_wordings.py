"""Wordings of pip, uv, compilers, kernels and Quarto, each with the cause that a person would name."""

from __future__ import annotations

import pytest

from recto.problems.diagnosis import diagnose

CASES = [
    (
        "requires-python",
        "numpy",
        (
            "ERROR: Ignored the following versions that require a different python version: 2.5.0 "
            "Requires-Python >=3.12\n"
            "ERROR: Could not find a version that satisfies the requirement numpy==2.5.0 (from versions: 1.3.0, "
            "1.4.1)\n"
            "ERROR: No matching distribution found for numpy==2.5.0"
        ),
    ),
    (
        "requires-python",
        "foo",
        ("ERROR: Package 'foo' requires a different Python: 3.8.10 not in '>=3.9'"),
    ),
    (
        "requires-python",
        "numpy",
        (
            "  × No solution found when resolving dependencies:\n"
            "  ╰─▶ Because the requested Python version (>=3.8) does not satisfy Python>=3.12 and numpy==2.5 "
            "depends on Python>=3.12, we can conclude that numpy==2.5 cannot be used.\n"
            "      And because your project depends on numpy==2.5, we can conclude that your project's "
            "requirements are unsatisfiable."
        ),
    ),
    (
        "requires-python",
        "numpy",
        (
            "ERROR: Could not find a version that satisfies the requirement numpy==2.3.0 (from versions: none)\n"
            "ERROR: No matching distribution found for numpy==2.3.0\n"
            "ERROR: Ignored the following versions that require a different python version: 2.3.0 "
            "Requires-Python >=3.11"
        ),
    ),
    (
        "file-not-found",
        None,
        ("ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'requirements.txt'"),
    ),
    (
        "file-not-found",
        None,
        ("ERROR: Directory '.' is not installable. Neither 'setup.py' nor 'pyproject.toml' found."),
    ),
    (
        "file-not-found",
        None,
        ("ERROR: file:///tmp/x does not appear to be a Python project: neither 'setup.py' nor 'pyproject.toml' found."),
    ),
    (
        "file-not-found",
        None,
        (
            "ERROR: Invalid requirement: './nosuchdir': Expected package name at the start of dependency "
            "specifier\n"
            "    ./nosuchdir\n"
            "    ^\n"
            "Hint: It looks like a path. File './nosuchdir' does not exist."
        ),
    ),
    (
        "file-not-found",
        None,
        ("error: File not found: `requirements.txt`"),
    ),
    (
        "file-not-found",
        None,
        ("error: failed to read from file `/tmp/requirements.txt`: No such file or directory (os error 2)"),
    ),
    (
        "build-failed-unspecified",
        "foo",
        (
            "  ERROR: Failed building wheel for foo\n"
            "Failed to build foo\n"
            "ERROR: Could not build wheels for foo, which is required to install pyproject.toml-based projects"
        ),
    ),
    (
        "build-failed-unspecified",
        "foo",
        (
            "error: metadata-generation-failed\n"
            "\n"
            "× Encountered error while generating package metadata.\n"
            "╰─> foo\n"
            "\n"
            "note: This is an issue with the package mentioned above, not pip."
        ),
    ),
    (
        "abi-mismatch",
        "numpy",
        (
            "Traceback (most recent call last):\n"
            '  File "a.py", line 1\n'
            "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C "
            "header, got 88 from PyObject"
        ),
    ),
    (
        "abi-mismatch",
        "numpy",
        (
            "A module that was compiled using NumPy 1.x cannot be run in\n"
            "NumPy 2.0.0 as it may crash. To support both 1.x and 2.x\n"
            "AttributeError: _ARRAY_API not found\n"
            "ImportError: numpy.core.multiarray failed to import"
        ),
    ),
    (
        "abi-mismatch",
        "torchaudio",
        (
            "Traceback (most recent call last):\n"
            "OSError: /usr/lib/python3/site-packages/torchaudio/lib/libtorchaudio.so: undefined symbol: _ZN3c10"
        ),
    ),
    (
        "pip-broken",
        None,
        (
            "Traceback (most recent call last):\n"
            '  File "/usr/bin/pip", line 9, in <module>\n'
            "    from pip import main\n"
            "ImportError: cannot import name 'main' from 'pip' (/usr/lib/python3/pip/__init__.py)"
        ),
    ),
    (
        "pip-broken",
        None,
        ("/usr/bin/python: No module named pip"),
    ),
    (
        "pip-broken",
        None,
        ("ERROR: To modify pip, please run the following command:\nC:\\python.exe -m pip install --upgrade pip"),
    ),
    (
        "pip-broken",
        None,
        (
            "Traceback (most recent call last):\n"
            '  File "/usr/lib/python3/dist-packages/pip/_internal/x.py", line 9, in <module>\n'
            "    from pip._vendor import pkg_resources\n"
            "AttributeError: module 'pkgutil' has no attribute 'ImpImporter'. Did you mean: 'zipimporter'?"
        ),
    ),
    (
        "kernel-died",
        None,
        ("nbclient.exceptions.DeadKernelError: Kernel died"),
    ),
    (
        "kernel-died",
        None,
        ("Starting python3 kernel...Done\n\nExecuting 'a.quarto_ipynb'\n  Cell 1/2: ''...Kernel died\n"),
    ),
    (
        "quarto-filter-error",
        None,
        (
            "Error running filter /opt/quarto/share/filters/main.lua:\n"
            "/tmp/a.lua:3: attempt to index a nil value (local 'x')\n"
            "stack traceback:"
        ),
    ),
    (
        "quarto-filter-error",
        None,
        ("pandoc: Could not find executable foo.lua"),
    ),
    (
        "quarto-filter-error",
        None,
        ("Error running Lua:\nmy.lua:3: attempt to call a nil value (global 'foo')\nstack traceback:\n"),
    ),
    (
        "pdf-engine-missing",
        None,
        (
            "No TeX installation was detected.\n"
            "\n"
            "Please run 'quarto install tinytex' to install TinyTex.\n"
            "If you prefer, you may install TexLive or another TeX distribution."
        ),
    ),
    (
        "kernel-missing",
        None,
        ("ERROR: Jupyter kernel 'foo' not found. Known kernels: python3. Run 'quarto check jupyter'"),
    ),
    (
        "jupyter-missing",
        None,
        (
            "Traceback (most recent call last):\n"
            '  File "/opt/quarto/share/jupyter/jupyter.py", line 10, in <module>\n'
            "    from yaml import safe_load\n"
            "ModuleNotFoundError: No module named 'yaml'\n"
            "\n"
            "Python 3 installation:\n"
            "  Version: 3.11\n"
            "  Jupyter: (None)\n"
            "\n"
            "Jupyter is not available in this Python installation.\n"
            "Install with python3 -m pip install jupyter\n"
        ),
    ),
    (
        "network-unreachable",
        None,
        (
            "error: No solution found when resolving dependencies\n"
            "  cause: Because nosuchthing was not found in the cache and you require nosuchthing, we can "
            "conclude that your requirements are unsatisfiable.\n"
            "\n"
            "hint: Packages were unavailable because the network was disabled. When the network is disabled, "
            "registry packages may only be read from the cache."
        ),
    ),
    (
        "network-tls",
        None,
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'SSLError(SSLCertVerificationError(1, "
            "'[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))': /simple/six/\n"
            "ERROR: Could not find a version that satisfies the requirement six (from versions: none)"
        ),
    ),
    (
        "index-auth",
        None,
        ("ERROR: HTTP error 403 while getting http://127.0.0.1/x.whl"),
    ),
    (
        "index-auth",
        None,
        ("Looking in indexes: http://x/simple\nUser for x: ERROR: Exception:\nEOFError: EOF when reading a line"),
    ),
    (
        "index-auth",
        None,
        (
            "WARNING: 401 Error, Credentials not correct for http://127.0.0.1:8181/401/simple/six/\n"
            "ERROR: Could not find a version that satisfies the requirement six (from versions: none)\n"
            "ERROR: No matching distribution found for six"
        ),
    ),
    (
        "index-error",
        None,
        (
            "ERROR: HTTP error 503 while getting http://x/y\n"
            "ERROR: 503 Server Error: Service Unavailable for url: http://x"
        ),
    ),
    (
        "index-error",
        None,
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'ResponseError('too many 503 error "
            "responses')': /503/simple/six/\n"
            "ERROR: Could not find a version that satisfies the requirement six (from versions: none)"
        ),
    ),
    (
        "network-timeout",
        None,
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by "
            "'ConnectTimeoutError(<pip._vendor.urllib3>, 'Connection to x timed out. (connect timeout=15)')': "
            "/simple/six/\n"
            "ERROR: No matching distribution found for six"
        ),
    ),
    (
        "network-unreachable",
        None,
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<x>: Failed to "
            "establish a new connection: [Errno -2] Name or service not known')': /simple/six/\n"
            "ERROR: Could not find a version that satisfies the requirement six (from versions: none)"
        ),
    ),
    (
        "download-corrupt",
        "demo",
        (
            "error: Failed to download `demo==1.0`\n"
            "  cause: Failed to extract archive\n"
            "  cause: I/O operation failed during extraction\n"
            "  cause: unexpected end of file"
        ),
    ),
    (
        "wheel-unsupported",
        "oldthing",
        (
            "error: Failed to determine installation plan\n"
            "  cause: A path dependency is incompatible with the current platform: "
            "oldthing-1.0-cp27-cp27m-win_amd64.whl"
        ),
    ),
    (
        "wheel-unsupported",
        "torch",
        (
            "error: Distribution `torch==2.0 @ registry` can't be installed because it doesn't have a source "
            "distribution or wheel for the current platform"
        ),
    ),
    (
        "environment-missing",
        None,
        (
            "error: No virtual environment found; run `uv venv` to create an environment, or pass `--system` to "
            "install into a non-virtual environment"
        ),
    ),
    (
        "environment-missing",
        None,
        ("error: No interpreter found for Python 3.99 in managed installations or search path"),
    ),
    (
        "vcs-failure",
        None,
        ("error: Git operation failed\n  cause: failed to clone into: /cache\n  cause: failed to fetch branch"),
    ),
    (
        "out-of-memory",
        None,
        ("Collecting torch\n  Downloading torch.whl (900MB)\nKilled\n"),
    ),
    (
        "out-of-memory",
        None,
        ("numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array"),
    ),
    (
        "build-no-compiler",
        "foo",
        (
            "  error: command 'gcc' failed: No such file or directory\n"
            "  [end of output]\n"
            "  ERROR: Failed building wheel for foo"
        ),
    ),
    (
        "build-no-compiler",
        "foo",
        (
            "   Building foo==1\n"
            "error: Failed to build `foo==1`\n"
            "  cause: The build backend returned an error\n"
            "\n"
            "         [stderr]\n"
            "         error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory"
        ),
    ),
    (
        "build-missing-library",
        "psycopg2",
        (
            "      Error: pg_config executable not found.\n"
            "      \n"
            "      pg_config is required to build psycopg2 from source.\n"
            "      [end of output]\n"
            "error: metadata-generation-failed\n"
            "\n"
            "× Encountered error while generating package metadata.\n"
            "╰─> psycopg2"
        ),
    ),
    (
        "build-missing-library",
        "mysqlclient",
        (
            "  Exception: Can not find valid pkg-config name.\n"
            "  Specify MYSQLCLIENT_CFLAGS and MYSQLCLIENT_LDFLAGS env vars manually\n"
            "  [end of output]\n"
            "error: subprocess-exited-with-error\n"
            "  Failed building wheel for mysqlclient"
        ),
    ),
    (
        "build-script-error",
        "foo",
        (
            "Collecting foo\n"
            "  error: subprocess-exited-with-error\n"
            "      Traceback (most recent call last):\n"
            '        File "<string>", line 2\n'
            "      ModuleNotFoundError: No module named 'numpy'\n"
            "      [end of output]\n"
            "error: metadata-generation-failed\n"
            "\n"
            "× Encountered error while generating package metadata.\n"
            "╰─> foo"
        ),
    ),
    (
        "invalid-requirement",
        None,
        (
            "ERROR: Invalid requirement: 'foo bar': Expected end or semicolon (after name and no valid version "
            "specifier)\n"
            "    foo bar\n"
            "        ^ (from line 3 of requirements.txt)"
        ),
    ),
    (
        "hash-mismatch",
        None,
        (
            "ERROR: Hashes are required in --require-hashes mode, but they are missing from some requirements. "
            "Here is a list"
        ),
    ),
    (
        "cell-error",
        None,
        (
            "An error occurred while executing the following cell:\n"
            "------------------\n"
            "x\n"
            "------------------\n"
            "\n"
            "\n"
            "NameError: name 'x' is not defined\n"
        ),
    ),
    (
        "shared-library-missing",
        None,
        ("Cell In[1]\nImportError: libGL.so.1: cannot open shared object file: No such file or directory"),
    ),
    (
        "notebook-invalid",
        None,
        ("nbformat.validator.NotebookValidationError: 'outputs' is a required property"),
    ),
    (
        "incompatible-installed",
        "numpy",
        (
            "ERROR: pip's dependency resolver does not currently take into account all the packages that are "
            "installed. This behaviour is the source of the following dependency conflicts.\n"
            "numba 0.58 requires numpy<1.27,>=1.22, but you have numpy 2.0.0 which is incompatible."
        ),
    ),
    (
        "permission-denied",
        None,
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: "
            "'/usr/local/lib/python3.11/dist-packages/foo'\n"
            "Consider using the `--user` option or check the permissions."
        ),
    ),
]


@pytest.mark.parametrize(("code", "package", "text"), CASES)
def test_a_wording_has_its_cause(code: str, package: str | None, text: str) -> None:
    first = diagnose(text)[0]

    assert first.code == code
    assert package is None or first.package == package
