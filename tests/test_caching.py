"""Files that may be lost are replaced whole or left as they were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recto.caching import keep_json

# A disk that is full after some kilobytes.
FULL = """
import resource, signal, sys
from pathlib import Path
from recto.caching import keep_json
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    keep_json(Path(sys.argv[1]), ["x" * 100] * 1000)
except OSError as error:
    sys.stdout.write(error.strerror)
"""


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "kept.json"
    keep_json(path, {"a": [1, "é"]})
    assert json.loads(path.read_bytes()) == {"a": [1, "é"]}
    keep_json(path, [])
    assert json.loads(path.read_bytes()) == []
    assert [entry.name for entry in path.parent.iterdir()] == ["kept.json"]


def test_a_full_disk_leaves_what_was_there_and_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    keep_json(path, "before")
    said = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert said.stdout == "File too large"
    assert json.loads(path.read_bytes()) == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]


def test_what_is_no_json_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        keep_json(tmp_path / "kept.json", {"a": object()})
    assert list(tmp_path.iterdir()) == []
