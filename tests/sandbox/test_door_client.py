"""What an installer inside is told of the way out, and what it is not."""

from __future__ import annotations

from pathlib import Path

from recto.sandbox.door.client import certificates, seen_inside

PROXY = "http://me:secret@proxy.example:3128"


def test_the_door_is_the_only_proxy_and_the_machines_own_are_not_told() -> None:
    machine = {"HTTPS_PROXY": PROXY, "http_proxy": PROXY, "ALL_PROXY": PROXY, "NO_PROXY": "a.example", "no_proxy": "b"}
    inside = seen_inside({**machine, "PATH": "/bin"}, 8899)

    assert inside["PATH"] == "/bin"
    door = "http://127.0.0.1:8899"
    ways = {name: inside[name] for name in inside if name.lower().endswith("_proxy")}
    assert ways == dict.fromkeys(
        ("https_proxy", "http_proxy", "all_proxy", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), door
    )
    assert "secret" not in str(inside)


def test_whom_the_machine_believes_is_believed_inside(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.touch()

    assert seen_inside({"SSL_CERT_FILE": str(own)}, 1)["PIP_CERT"] == str(own)
    assert seen_inside({"SSL_CERT_FILE": str(own), "PIP_CERT": "/other"}, 1)["PIP_CERT"] == "/other"
    assert seen_inside({"REQUESTS_CA_BUNDLE": "/other", "SSL_CERT_FILE": str(own)}, 1)["PIP_CERT"] == "/other"


def test_certificates_are_shown_where_they_are_and_where_they_lead(tmp_path: Path) -> None:
    real = tmp_path / "real.pem"
    real.touch()
    link = tmp_path / "link.pem"
    link.symlink_to(real)
    directory = tmp_path / "certs"
    directory.mkdir()
    environment = {
        "SSL_CERT_FILE": str(link),
        "PIP_CERT": str(tmp_path / "missing.pem"),
        "REQUESTS_CA_BUNDLE": "relative.pem",
        "SSL_CERT_DIR": f"{directory}:{tmp_path / 'none'}:",
    }
    found = certificates(environment)

    assert found[:3] == (link, real, directory)
    assert all(path.exists() and path.is_absolute() for path in found)
    assert {path for path in found if tmp_path in path.parents} == {link, real, directory}


def test_the_machines_own_certificates_are_shown_unasked() -> None:
    usual = Path("/etc/ssl/certs")

    assert (usual in certificates({})) is usual.exists()
