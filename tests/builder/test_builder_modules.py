"""Module names, read from what wheels leave behind."""

from __future__ import annotations

import zipfile
from pathlib import Path

from recto.builder.inventory import metadata_directories, take_inventory
from wheels import make_wheel


def _unpacked(tmp_path: Path, name: str, files: dict[str, str], metadata: str = "") -> dict[str, tuple[str, ...]]:
    with zipfile.ZipFile(make_wheel(tmp_path / "wheels", name, "1.0", files, metadata)) as archive:
        archive.extractall(tmp_path / "site")
    return _modules(tmp_path / "site")


def _modules(site: Path) -> dict[str, tuple[str, ...]]:
    return {name: take_inventory(site, info).modules for name, info in metadata_directories(site).items()}


def test_paths_that_begin_with_a_dot_are_each_looked_at(tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "spam-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: spam\nVersion: 1.0\n")
    (info / "RECORD").write_text(
        "./spam/a.py,,\n./eggs/b.py,,\n../../../share/jupyter/kernels/x/kernel.json,,\n../../../share/doc,,\n"
    )
    inventory = take_inventory(site, info)
    assert inventory.modules == ("eggs", "spam")
    assert inventory.intrusions == ("../../../share/jupyter/kernels/x/kernel.json",)


def test_packages_and_modules_count_and_data_does_not(tmp_path: Path) -> None:
    files = {
        "spam/__init__.py": "",
        "spam/eggs/__init__.py": "",
        "spam_tools.py": "",
        "_fast.cpython-311-x86_64-linux-gnu.so": "",
        "_stable.abi3.so": "",
        "spam.libs/libz.so.1": "",
        "spam.pth": "",
        "README": "",
        "Spam-1.0.data/scripts/spam": "",
    }
    found = _unpacked(tmp_path, "Spam", files)
    assert set(found) == {"spam"}
    assert set(found["spam"]) >= {"spam", "spam_tools", "_stable"}
    assert not {"spam.libs", "README", "libz"} & set(found["spam"])


def test_namespace_packages_are_named_by_their_first_part(tmp_path: Path) -> None:
    assert _unpacked(tmp_path, "ns_part", {"ns/part/__init__.py": ""}) == {"ns-part": ("ns",)}


def test_stated_import_names_are_believed(tmp_path: Path) -> None:
    metadata = "Import-Name: yaml\nImport-Name: _yaml ; private\nImport-Name: a.b\n"
    assert _unpacked(tmp_path, "PyYAML", {"other/__init__.py": ""}, metadata) == {"pyyaml": ("_yaml", "a", "yaml")}


def test_a_directory_without_metadata_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "gone-1.0.dist-info").mkdir()
    assert metadata_directories(tmp_path).keys() == {"gone"}
