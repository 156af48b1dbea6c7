"""Installs that really fail under pip and uv: files, repositories, networks, interpreters."""

from __future__ import annotations

import shutil
import socket
import ssl
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from failing import Installer, first, said

from loopback_index import LoopbackIndex, serving
from recto.problems.diagnosis import diagnose
from wheels import make_wheel

pytest_plugins = ("failing_fixtures",)
pytestmark = pytest.mark.network


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory of wheels: `spam`, which needs `eggs` before 2, and two versions of `eggs`."""
    make_wheel(tmp_path / "shop", "spam", "1.0", {"spam.py": ""}, "Requires-Dist: eggs<2\n")
    for version in ("1.0", "2.0"):
        make_wheel(tmp_path / "shop", "eggs", version, {"eggs.py": ""})
    return tmp_path / "shop"


@pytest.mark.makes("download-corrupt")
def test_half_a_wheel(installer: Installer, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "shop", "spam", "1.0", {"spam.py": "EGGS = 3\n" * 1000})
    data = wheel.read_bytes()
    wheel.write_bytes(data[: len(data) // 2])
    said_of = installer.install("--no-index", "--find-links", tmp_path / "shop", "spam")
    assert first(said_of) == ("download-corrupt", "spam")


@pytest.mark.makes("file-not-found")
@pytest.mark.parametrize("words", [("-r", "absent.txt"), ("./absent",)])
def test_a_requirements_file_or_a_project_that_is_not_there(installer: Installer, words: tuple[str, ...]) -> None:
    problem = diagnose(installer.install("--no-index", *words))[0]
    assert problem.code == "file-not-found"
    assert "absent" in problem.message


@pytest.mark.makes("vcs-failure")
def test_a_repository_that_is_not_there(installer: Installer, tmp_path: Path) -> None:
    problem = diagnose(installer.install("--no-index", f"spam @ git+file://{tmp_path}/absent"))[0]
    assert (problem.code, problem.package) == ("vcs-failure", "spam")
    assert "absent' does not appear to be a git repository" in problem.message


@pytest.mark.makes("vcs-failure")
def test_a_machine_without_git(installer: Installer, empty: str) -> None:
    problem = diagnose(installer.install("--no-index", "spam @ git+https://127.0.0.1:9/spam", PATH=empty))[0]
    assert (problem.code, problem.package) == ("vcs-failure", "spam")
    assert "git is not installed" in problem.message


@pytest.mark.makes("os-file-error")
def test_a_path_that_is_too_long(installer: Installer, shop: Path) -> None:
    problem = diagnose(installer.install("--no-index", "--find-links", shop, "eggs", target="x" * 300))[0]
    assert problem.code == "os-file-error"
    assert "File name too long" in problem.message


@pytest.fixture
def clashing(shop: Path, tools_python: Path, bare_python: Path, tmp_path: Path) -> Callable[..., str]:
    """pip for an environment that holds `spam` and the `eggs` that it needs."""

    def pip(*words: object) -> str:
        return said(tools_python, "-m", "pip", "--python", bare_python, *words, cwd=tmp_path)

    assert "Successfully installed" in pip("install", "--no-index", "--find-links", shop, "spam")
    return pip


@pytest.mark.makes("incompatible-installed")
def test_packages_that_clash_once_they_are_installed(
    clashing: Callable[..., str], shop: Path, uv: Path, bare_python: Path, tmp_path: Path
) -> None:
    installed = clashing("install", "--no-index", "--find-links", shop, "eggs==2.0")
    for text in (installed, clashing("check"), said(uv, "pip", "check", "--python", bare_python, cwd=tmp_path)):
        (problem,) = diagnose(text)
        assert (problem.code, problem.package) == ("incompatible-installed", "eggs")
        assert "needs eggs<2, and there is eggs 2.0" in problem.message


@pytest.mark.makes("incompatible-installed")
def test_a_dependency_that_is_gone(clashing: Callable[..., str], uv: Path, bare_python: Path, tmp_path: Path) -> None:
    clashing("uninstall", "--yes", "eggs")
    for text in (clashing("check"), said(uv, "pip", "check", "--python", bare_python, cwd=tmp_path)):
        assert first(text) == ("incompatible-installed", "eggs")


# pip tells of a connection that failed only where it tries again.
PATIENCE = {
    "PIP_TIMEOUT": "0.2",
    "PIP_RETRIES": "1",
    "UV_HTTP_TIMEOUT": "1",
    "UV_HTTP_RETRIES": "0",
}


@pytest.mark.makes("network-timeout")
def test_an_index_that_says_nothing(installer: Installer) -> None:
    with serving(LoopbackIndex(mute={"spam"})) as index:
        assert first(installer.install("--index-url", index.url, "spam", **PATIENCE)) == ("network-timeout", None)


@pytest.mark.makes("index-error")
def test_an_index_with_an_error_of_its_own(installer: Installer) -> None:
    with serving(LoopbackIndex(broken={"spam"})) as index:
        # Otherwise pip says nothing of it but that it found no version.
        text = installer.install("--index-url", index.url, "spam", PIP_VERBOSE="2", **PATIENCE)
    assert first(text) == ("index-error", None)


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """The address of a server with a certificate that nobody vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    said(*made, "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1", cwd=tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def answer() -> None:
        # Ends where the socket is shut down; clients end each handshake in an error.
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=answer)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown, socket.SHUT_RDWR)
        yield f"https://127.0.0.1:{server.getsockname()[1]}/simple/"


@pytest.mark.makes("network-tls")
def test_a_certificate_that_nobody_vouches_for(installer: Installer, untrusted: str) -> None:
    assert first(installer.install("--index-url", untrusted, "spam", **PATIENCE)) == ("network-tls", None)


@pytest.fixture
def managed_python(tmp_path: Path) -> Path:
    """A Python outside of any virtual environment that says that it is managed by its system.

    The executable is a copy, because an interpreter finds its library by where it lies; the library is links and the
    marker beside them.
    """
    library = Path(sysconfig.get_path("stdlib"))
    base = Path(sys.base_prefix)
    mine = tmp_path / "managed" / library.relative_to(base)
    mine.mkdir(parents=True)
    for entry in library.iterdir():
        if entry.name != "EXTERNALLY-MANAGED":
            (mine / entry.name).symlink_to(entry)
    (mine / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=The system looks after this Python.\n")
    for entry in (base / "lib").glob("libpython*"):
        (mine.parent / entry.name).symlink_to(entry)
    python = tmp_path / "managed" / "bin" / f"python{sysconfig.get_python_version()}"
    python.parent.mkdir()
    shutil.copy2(Path(sys._base_executable).resolve(), python)  # type: ignore[attr-defined]
    return python


@pytest.mark.makes("externally-managed")
def test_a_python_that_belongs_to_the_system(
    managed_python: Path, tools_python: Path, uv: Path, tmp_path: Path
) -> None:
    (pip,) = tools_python.parents[1].glob("lib/python*/site-packages")
    by_pip = said(managed_python, "-m", "pip", "install", "--no-index", "spam", cwd=tmp_path, PYTHONPATH=str(pip))
    by_uv = said(uv, "pip", "install", "--no-index", "--python", managed_python, "spam", cwd=tmp_path)
    assert [first(by_pip), first(by_uv)] == [("externally-managed", None)] * 2


@pytest.mark.makes("environment-missing")
def test_no_environment_and_no_such_python(uv: Path, tools_python: Path, empty: str, tmp_path: Path) -> None:
    install = (uv, "pip", "install", "--no-index", "spam")
    texts = (
        said(*install, cwd=tmp_path, PATH=empty),
        said(*install, "--python", tmp_path / "absent", cwd=tmp_path),
        said(uv, "venv", "--no-python-downloads", "--python", "3.99", "absent", cwd=tmp_path),
    )
    assert [first(text)[0] for text in texts] == ["environment-missing"] * 3


@pytest.mark.makes("permission-denied")
def test_a_file_that_may_not_be_run(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\n")
    by_bash = said("/bin/bash", "-c", "./python -m pip install spam", cwd=tmp_path)
    by_python = said(sys.executable, "-c", "import subprocess; subprocess.run('./python')", cwd=tmp_path)
    assert [first(by_bash)[0], first(by_python)[0]] == ["permission-denied"] * 2


@pytest.mark.makes("disk-full")
def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    by_python = said(sys.executable, "-c", "from pathlib import Path; Path('/dev/full').write_text('x')", cwd=tmp_path)
    by_cp = said("cp", sys.executable, "/dev/full", cwd=tmp_path)
    assert [first(by_python), first(by_cp)] == [("disk-full", None)] * 2


@pytest.mark.makes("pip-broken")
def test_an_environment_without_pip(bare_python: Path, tmp_path: Path) -> None:
    problem = diagnose(said(bare_python, "-m", "pip", "install", "spam", cwd=tmp_path))[0]
    assert problem.code == "pip-broken"
    assert "No module named pip" in problem.message
