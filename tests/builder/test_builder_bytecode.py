"""Bytecode is compiled once for a wheel, kept, and linked; whatever is not as it was is a miss."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.pylock import Pylock

from building import Workshop, lock_of, order_of
from recto.builder import Order
from recto.builder.bytecode import Bytecode, BytecodeKey
from recto.builder.bytecode.linking import Damaged, link
from recto.builder.uv import wheels_of
from recto.builder.workbench import Workbench
from recto.interpreters import Base
from wheels import make_wheel

pytest_plugins = ("builder_fixtures",)
pytestmark = pytest.mark.network

FILES = {"spam/__init__.py": "EGGS = 3\n", "spam/old.py": "print 'two'\n", "spam/after.py": "A = 1\n"}


@pytest.fixture
def workshop(tmp_path: Path, workbench: Workbench) -> Workshop:
    """A workshop with bytecode of its own."""
    (tmp_path / "staging").mkdir()
    return Workshop(replace(workbench, bytecode=tmp_path / "bytecode"), tmp_path / "staging")


@pytest.fixture
def order(kernel_base: Base, tmp_path: Path) -> Order:
    return order_of(kernel_base, make_wheel(tmp_path / "wheels", "spam", "1.0", FILES))


def key_of(order: Order) -> BytecodeKey:
    (wheel,) = wheels_of(order.lock, order.base).values()
    return BytecodeKey.of(wheel, order.base)


def kept(workshop: Workshop) -> Bytecode:
    return Bytecode(workshop.workbench.bytecode)


def test_an_environment_is_whole_before_its_bytecode_and_gets_it_afterwards(workshop: Workshop, order: Order) -> None:
    built = workshop.build(order)
    assert built.unfinished == {"spam": key_of(order).digest}
    assert workshop.compiled("spam") == {}
    assert workshop.python("import spam; print(spam.EGGS)") == "3"
    assert workshop.finish(order, built) > 0
    assert set(workshop.compiled("spam")) == {"__init__", "after"}


def test_kept_bytecode_is_linked_into_the_next_environment_and_never_compiled_again(
    workshop: Workshop, order: Order
) -> None:
    workshop.finish(order, workshop.build(order))
    first = {name: path.stat().st_ino for name, path in workshop.compiled("spam").items()}
    again = workshop.build(order)
    assert again.unfinished == {}
    assert again.new_bytes == 0
    assert {name: path.stat().st_ino for name, path in workshop.compiled("spam").items()} == first
    assert "compile_script" not in again.log


def test_compiled_files_are_of_the_unchecked_kind_and_name_their_source_where_it_lies(
    workshop: Workshop, order: Order
) -> None:
    workshop.finish(order, workshop.build(order))
    # PEP 552: flag 1 is hash-based, flag 2 would be checked.
    assert workshop.compiled("spam")["after"].read_bytes()[4:8] == b"\x01\x00\x00\x00"
    code = "import spam, sys; print(spam.__spec__.cached); print(compile.__name__, spam.__file__)"
    cached, source = workshop.python(code).splitlines()
    assert Path(cached) == workshop.compiled("spam")["__init__"]
    assert source.endswith(
        str(workshop.directory / "lib" / Path(cached).parents[3].name / "site-packages/spam/__init__.py")
    )


def test_a_traceback_shows_the_environments_own_path(workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    files = {"fails/__init__.py": "def now():\n    raise ValueError('no')\n"}
    order = order_of(kernel_base, make_wheel(tmp_path, "fails", "1.0", files))
    workshop.finish(order, workshop.build(order))
    said = workshop.run("python", "-c", "import fails; fails.now()", code=1)
    assert f'File "{workshop.directory}' in said
    assert "fails/__init__.py" in said


def test_a_wheel_that_carries_the_record_of_another_does_not_give_it_its_bytecode(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    honest = make_wheel(tmp_path / "a", "spam", "1.0", {"spam/__init__.py": "WHO = 'honest'\n"})
    evil = make_wheel(
        tmp_path / "b",
        "spam",
        "1.0",
        {"spam/__init__.py": "WHO = 'evils!'\n"},
        record_of={"spam/__init__.py": "WHO = 'honest'\n"},
    )
    for wheel, who in ((evil, "evils!"), (honest, "honest")):
        order = order_of(kernel_base, wheel)
        workshop.finish(order, workshop.build(order))
        assert workshop.python("import spam; print(spam.WHO)") == who


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "index"])
def test_damaged_bytecode_is_a_miss_and_is_compiled_again(damage: str, workshop: Workshop, order: Order) -> None:
    workshop.finish(order, workshop.build(order))
    entry = workshop.workbench.bytecode / "compiled" / key_of(order).digest
    entry.chmod(0o755)
    file = entry / ("index.json" if damage == "index" else "0")
    content = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes(content[:-5] if damage != "changed" else content[:-1] + b"?")
    again = workshop.build(order)
    assert set(again.unfinished) == {"spam"}
    workshop.finish(order, again)
    assert workshop.python("import spam, spam.after; print(spam.EGGS)") == "3"
    assert set(workshop.compiled("spam")) == {"__init__", "after"}
    assert workshop.build(order).unfinished == {}


def test_an_audit_finds_rot_that_keeps_size_and_time_and_drops_the_entry(workshop: Workshop, order: Order) -> None:
    workshop.finish(order, workshop.build(order))
    assert kept(workshop).audit().damaged == ()
    file = workshop.workbench.bytecode / "compiled" / key_of(order).digest / "0"
    status, content = file.stat(), bytearray(file.read_bytes())
    content[-1] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert kept(workshop).audit().damaged == (key_of(order),)
    assert kept(workshop).compiled(key_of(order)) is None


def test_a_bytecode_directory_that_goes_meanwhile_is_a_miss(workshop: Workshop, order: Order) -> None:
    workshop.finish(order, workshop.build(order))
    compiled = kept(workshop).compiled(key_of(order))
    assert compiled is not None
    shutil.rmtree(workshop.workbench.bytecode)
    with pytest.raises(Damaged):
        link(compiled, workshop.directory / "lib")
    again = workshop.build(order)
    assert set(again.unfinished) == {"spam"}
    workshop.finish(order, again)
    assert set(workshop.compiled("spam")) == {"__init__", "after"}


def test_swept_bytecode_goes_only_where_no_environment_links_to_it(workshop: Workshop, order: Order) -> None:
    workshop.finish(order, workshop.build(order))
    assert kept(workshop).sweep() == 0
    shutil.rmtree(workshop.directory)
    assert kept(workshop).sweep() > 0
    assert kept(workshop).compiled(key_of(order)) is None
    assert kept(workshop).inventory(key_of(order)) is None


def test_what_a_killed_maker_left_goes_with_the_next_sweep_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    bytecode = Bytecode(tmp_path)
    (tmp_path / "making" / "left").mkdir(parents=True)
    (tmp_path / "making" / "left" / "file").write_bytes(b"x" * 10_000)
    with bytecode.area() as area:
        assert bytecode.sweep() >= 10_000
        assert list((tmp_path / "making").iterdir()) == [area]


@pytest.mark.parametrize("change", ["python", "abi", "bytecode", "wheel"])
def test_everything_that_changes_code_objects_changes_the_key(change: str, order: Order, tmp_path: Path) -> None:
    (wheel,) = wheels_of(order.lock, order.base).values()
    base = order.base
    if change == "wheel":
        (wheel,) = wheels_of(lock_of(make_wheel(tmp_path, "spam", "1.0", {}), sha256="0" * 64), base).values()
    elif change == "bytecode":
        base = replace(base, bytecode="cpython-311 00000000")
    else:
        other = {"python": replace(base.identity, version="3.99.0"), "abi": replace(base.identity, abi="other")}
        base = replace(base, identity=other[change])
    assert BytecodeKey.of(wheel, base) != key_of(order)


def test_a_source_that_kills_the_compiler_fails_alone(workshop: Workshop, kernel_base: Base, tmp_path: Path) -> None:
    # Deep enough for the parser to run out of its own stack, whatever the version.
    deep = "x = " + "(" * 5_000 + ")" * 5_000 + "\n"
    files = {"spam/__init__.py": "", "spam/deep.py": deep, "spam/null.py": "a\0b", "spam/fine.py": "A = 1\n"}
    order = order_of(kernel_base, make_wheel(tmp_path, "spam", "1.0", files))
    workshop.finish(order, workshop.build(order))
    assert set(workshop.compiled("spam")) == {"__init__", "fine"}
    compiled = kept(workshop).compiled(key_of(order))
    assert compiled is not None
    assert set(compiled.failed) == {"spam/deep.py", "spam/null.py"}


def test_sealed_directories_are_sealed_again_after_bytecode_was_linked_in(workshop: Workshop, order: Order) -> None:
    built = workshop.build(order)
    sealed = [path for path in workshop.directory.rglob("*") if path.is_dir() and not path.is_symlink()]
    for path in sealed:
        path.chmod(0o555)
    workshop.finish(order, built)
    assert set(workshop.compiled("spam")) == {"__init__", "after"}
    assert {oct(path.stat().st_mode & 0o777) for path in sealed} == {"0o555"}


def test_bytecode_that_something_else_wrote_is_replaced(workshop: Workshop, order: Order) -> None:
    built = workshop.build(order)
    (source,) = workshop.directory.rglob("spam/after.py")
    subprocess.run([sys.executable, "-m", "py_compile", source], check=True)
    workshop.finish(order, built)
    assert workshop.compiled("spam")["after"].read_bytes()[4:8] == b"\x01\x00\x00\x00"


def test_two_finishers_at_once_keep_one_entry(workshop: Workshop, order: Order) -> None:
    built = workshop.build(order)
    assert workshop.finish(order, built) > 0
    assert workshop.finish(order, built) == 0
    assert [path.name for path in (workshop.workbench.bytecode / "compiled").iterdir()] == [key_of(order).digest]
    assert list((workshop.workbench.bytecode / "making").iterdir()) == []


def test_compiling_starts_no_interpreter_of_the_environment(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    marker = tmp_path / "started"
    files = {"evil.pth": f"import os; open({str(marker)!r}, 'a').write('x')\n", "evil/__init__.py": ""}
    order = order_of(kernel_base, make_wheel(tmp_path, "evil", "1.0", files))
    built = workshop.build(order)
    marker.unlink()
    workshop.finish(order, built)
    assert set(workshop.compiled("evil")) == {"__init__"}
    assert not marker.exists()


def test_where_files_cannot_be_linked_they_are_copied_and_the_log_says_so(
    workshop: Workshop, order: Order, workbench: Workbench
) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == workshop.root.stat().st_dev:
        pytest.skip("there is no second file system here")
    place = other / f"recto-{os.getpid()}"
    place.mkdir()
    try:
        away = Workshop(replace(workshop.workbench, cache=place / "uv", bytecode=place / "bytecode"), workshop.root)
        away.finish(order, away.build(order))
        built = away.build(order)
        assert built.unfinished == {}
        assert "were copied: they cannot be linked here" in built.log
        assert away.python("import spam; print(spam.EGGS)") == "3"
        assert {path.stat().st_nlink for path in away.compiled("spam").values()} == {1}
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_wheel_that_is_damaged_in_the_cache_is_fetched_again(
    damage: str, workshop: Workshop, kernel_base: Base, networkx_lock: Pylock
) -> None:
    away = Workshop(replace(workshop.workbench, cache=workshop.root / "uv-cache"), workshop.root / "away")
    away.root.mkdir()
    order = Order(networkx_lock, ("humanize",), kernel_base)
    away.build(order)
    (module,) = away.workbench.cache.glob("archive-v*/*/humanize/number.py")
    content = module.read_bytes()
    if damage == "gone":
        module.unlink()
    elif damage == "cut":
        module.write_bytes(content[:100])
    else:
        module.write_bytes(content.replace(b"def ", b"xef ", 1))
    built = away.build(order)
    (installed,) = away.directory.rglob("humanize/number.py")
    assert installed.read_bytes() == content
    assert "Fetched again" in built.log
    assert "Fetched again" not in away.build(order).log


def test_a_cache_that_was_deleted_is_filled_again_and_nothing_is_fetched_twice(
    workshop: Workshop, kernel_base: Base, networkx_lock: Pylock
) -> None:
    away = Workshop(replace(workshop.workbench, cache=workshop.root / "uv-cache"), workshop.root / "away")
    away.root.mkdir()
    order = Order(networkx_lock, ("humanize",), kernel_base)
    away.build(order)
    shutil.rmtree(away.workbench.cache)
    built = away.build(order)
    assert "fetched from the index" in built.log
    assert "Fetched again" not in built.log
    assert built.new_bytes > 0


def test_a_wheel_met_before_is_installed_without_a_network(
    workshop: Workshop, kernel_base: Base, networkx_lock: Pylock
) -> None:
    order = Order(networkx_lock, ("humanize",), kernel_base)
    workshop.build(order)
    nowhere = {"PATH": os.defpath, "HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    cut_off = Workshop(replace(workshop.workbench, environment=nowhere), workshop.root / "cut-off")
    cut_off.root.mkdir()
    assert cut_off.build(order).modules == {"humanize": ("humanize",)}


def test_nothing_in_an_environment_tells_where_it_was_built(
    workshop: Workshop, kernel_base: Base, tmp_path: Path
) -> None:
    files = {"spam/__init__.py": "def main():\n    print('eggs')\n"}
    wheel = make_wheel(
        tmp_path,
        "spam",
        "1.0",
        {**files, "spam-1.0.dist-info/entry_points.txt": "[console_scripts]\nspam = spam:main\n"},
    )
    order = order_of(kernel_base, wheel)
    workshop.build(order)
    texts = [path.read_bytes() for path in workshop.directory.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [text for text in texts if b"addresses" in text]
    moved = workshop.directory.rename(tmp_path / "moved")
    assert subprocess.run([moved / "bin" / "spam"], capture_output=True, text=True, check=True).stdout == "eggs\n"
    addresses = workshop.workbench.cache.with_name("addresses")
    assert [path.suffix for path in addresses.iterdir() if path.is_symlink()] == []
