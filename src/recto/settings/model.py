"""Everything that can be set, each setting declared once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from msgspec import Struct, field

from recto.settings.readers import (
    parse_address,
    parse_addresses,
    parse_alias,
    parse_builds,
    parse_count,
    parse_days,
    parse_mechanism,
    parse_names,
    parse_path,
    parse_paths,
    parse_seconds,
    parse_size,
    parse_switch,
    parse_text,
)

PREFIX = "RECTO_"


class Setting(Struct, frozen=True):
    """What makes a field one that can be set: its reader, its default in words, and what it sets."""

    parse: Callable[[str], object]
    shown: str
    doc: str


class ConfigurationFile(Struct, frozen=True):
    """The file that was looked for, and its bytes; None where there is none."""

    path: Path
    data: bytes | None


class Settings(Struct, frozen=True):
    """Everything that can be set. `network` and `path` are handed on to child processes, not set here."""

    data_dir: Annotated[
        Path,
        Setting(
            parse_path,
            "`recto` under the user's data home",
            "Where environments, locks and caches live. A path on a local file system.",
        ),
    ] = Path()
    base: Annotated[
        Path | None,
        Setting(
            parse_path,
            "the base that `recto base build` makes in the data directory",
            "The base interpreter: a path to a Python executable.",
        ),
    ] = None
    python: Annotated[
        Path | None,
        Setting(
            parse_path,
            "the interpreter that runs Recto",
            "The Python executable over which `recto base build` makes a base.",
        ),
    ] = None
    index_url: Annotated[
        str | None,
        Setting(
            parse_address,
            "`UV_DEFAULT_INDEX`, `UV_INDEX_URL` or `PIP_INDEX_URL`, else the default of uv",
            "The package index (PEP 503/691), a URL. It is the only index that is asked.",
        ),
    ] = None
    index_name: Annotated[
        str,
        Setting(
            parse_alias,
            "`default`",
            "The name of that index in keys; change it when another index may give other packages.",
        ),
    ] = "default"
    page_seconds: Annotated[
        int,
        Setting(
            parse_count,
            "`600`",
            "Seconds for which a page of the index counts as current; `0` asks the index each time. "
            "`recto env update` and whatever finds no answer always do.",
        ),
    ] = 600
    installing: Annotated[
        bool | None,
        Setting(parse_switch, "`on` at the command line", "`on` or `off`: whether packages may be installed at all."),
    ] = None
    builds: Annotated[
        str,
        Setting(
            parse_builds,
            "`off`",
            "`off`, or `trusted`: packages without a wheel are built from source, each in a sandbox of its own. That "
            "runs their authors' code, and needs `RECTO_SANDBOX=bubblewrap`.",
        ),
    ] = "off"
    last_good: Annotated[
        bool,
        Setting(
            parse_switch,
            "`off`",
            "`on` or `off`: whether a document whose changed declaration fails is rendered with the packages of its "
            "last good render, and a warning.",
        ),
    ] = False
    packages_max: Annotated[
        int, Setting(parse_count, "`300`", "The most packages that one environment may install.")
    ] = 300
    download_max: Annotated[
        int, Setting(parse_size, "`3 GB`", "The most that may be downloaded for one environment.")
    ] = 3_000_000_000
    installed_max: Annotated[int, Setting(parse_size, "`10 GB`", "The most disk that one environment may take.")] = (
        10_000_000_000
    )
    resolve_seconds: Annotated[float, Setting(parse_seconds, "`120`", "Seconds of wall time for one resolution.")] = (
        120.0
    )
    build_seconds: Annotated[float, Setting(parse_seconds, "`900`", "Seconds of wall time for one build.")] = 900.0
    render_seconds: Annotated[float, Setting(parse_seconds, "`600`", "Seconds of wall time for one render.")] = 600.0
    warm_kernels: Annotated[
        int,
        Setting(
            parse_count,
            "`0`",
            "Kernels that a long-lived process keeps started for the next renders of the built-in engine, each for one "
            "project; 0 keeps none. Commands keep none.",
        ),
    ] = 0
    warm_memory: Annotated[
        int, Setting(parse_size, "`1 GB`", "Bytes of memory that the kernels kept started may take together.")
    ] = 1_000_000_000
    warm_seconds: Annotated[
        float,
        Setting(parse_seconds, "`900`", "Seconds after which a kernel that was kept started and not used is ended."),
    ] = 900.0
    budget: Annotated[
        int, Setting(parse_size, "`20 GB`", "Bytes on disk that the store may take, hard links counted once.")
    ] = 20_000_000_000
    free_floor: Annotated[
        int, Setting(parse_size, "`1 GB`", "Bytes that must stay free on the volume of the data directory.")
    ] = 1_000_000_000
    quarto: Annotated[Path | None, Setting(parse_path, "the `quarto` on the PATH", "The Quarto executable.")] = None
    render_variables: Annotated[
        tuple[str, ...],
        Setting(
            parse_names,
            "`LANG, LC_ALL, TZ`",
            "Names of environment variables that cells may see, separated by commas. `XDG_CACHE_HOME` only where "
            "nothing contains them.",
        ),
    ] = ("LANG", "LC_ALL", "TZ")
    sandbox: Annotated[
        str,
        Setting(
            parse_mechanism,
            "`none` at the command line",
            "What contains installers and documents: `bubblewrap`; `landlock`, which is weaker, for containers without "
            "user namespaces; or `none`: documents have your own rights.",
        ),
    ] = "none"
    sandbox_memory: Annotated[
        int, Setting(parse_size, "`4 GB`", "The most memory that the processes of one contained command may take.")
    ] = 4_000_000_000
    sandbox_processes: Annotated[
        int, Setting(parse_count, "`512`", "The most processes and threads that one contained command may have.")
    ] = 512
    sandbox_cpus: Annotated[
        float, Setting(parse_seconds, "`4`", "Processors that one contained command may keep busy, such as `1.5`.")
    ] = 4.0
    sandbox_open_files: Annotated[
        int, Setting(parse_count, "`4096`", "The most files that one contained process may have open.")
    ] = 4096
    sandbox_file: Annotated[
        int, Setting(parse_size, "`4 GB`", "The largest file that one contained command may write.")
    ] = 4_000_000_000
    sandbox_disk: Annotated[
        int, Setting(parse_size, "`4 GB`", "The most that a contained document may add to its project.")
    ] = 4_000_000_000
    sandbox_scratch: Annotated[
        int,
        Setting(parse_size, "`256 MB`", "Bytes of the private `/tmp`, and of shared memory, of a contained command."),
    ] = 256_000_000
    sandbox_show: Annotated[
        tuple[Path, ...],
        Setting(
            parse_paths,
            "none",
            "Further paths that contained commands may read, separated by `:`, such as a TeX distribution.",
        ),
    ] = ()
    sandbox_uid: Annotated[
        int, Setting(parse_count, "`59999`", "The user and group number that contained commands get from root.")
    ] = 59_999
    index_hosts: Annotated[
        tuple[str, ...],
        Setting(
            parse_names,
            "those that the pages of the index name",
            "Further hosts that contained installers may reach, separated by commas.",
        ),
    ] = ()
    gateway_indexes: Annotated[
        tuple[str, ...],
        Setting(
            parse_addresses,
            "`RECTO_INDEX_URL`, else what that defaults to",
            "Indexes that the gateway asks, URLs separated by spaces: the first that has a project is asked for it. "
            "For a user without a password, `keyring` is asked.",
        ),
    ] = ()
    gateway_rules: Annotated[
        Path | None,
        Setting(parse_path, "wheels only, nothing malicious", "The gateway's rules about packages, a TOML file."),
    ] = None
    gateway_advisories: Annotated[
        Path | None,
        Setting(parse_path, "none", "A folder of advisories in the OSV format, for the rules that go by them."),
    ] = None
    gateway_bytes: Annotated[int, Setting(parse_size, "`10 GB`", "Bytes of package files that the gateway keeps.")] = (
        10_000_000_000
    )
    audit: Annotated[
        bool,
        Setting(
            parse_switch,
            "`on`",
            "`on` or `off`: whether the gateway records what it hands out and what it does not. While it is on, what "
            "cannot be recorded is refused.",
        ),
    ] = True
    audit_bytes: Annotated[
        int, Setting(parse_size, "`64 MB`", "Bytes at which a file of the audit log is put aside and compressed.")
    ] = 64_000_000
    audit_days: Annotated[
        float,
        Setting(parse_days, "`90`", "Days for which files of the audit log are kept that were put aside."),
    ] = 90.0
    audit_kept: Annotated[
        int,
        Setting(parse_size, "`2 GB`", "Bytes that such files may take together; the oldest are deleted first."),
    ] = 2_000_000_000
    failpoint: Annotated[
        str | None, Setting(parse_text, "none", "For tests: the step before which the process kills itself.")
    ] = None
    network: Mapping[str, str] = field(default_factory=dict)
    path: str = os.defpath
    render_environment: Mapping[str, str] = field(default_factory=dict)
    file: ConfigurationFile | None = None

    def for_own_process(self) -> dict[str, str]:
        """The variables of a Recto process that works on the same store with the same patience, and on nothing else."""
        return {
            "PATH": self.path,
            "LANG": "C.UTF-8",
            f"{PREFIX}CONFIG": os.devnull,
            f"{PREFIX}DATA_DIR": str(self.data_dir),
            f"{PREFIX}BUILD_SECONDS": f"{self.build_seconds:g}",
        }


def declared() -> dict[str, Setting]:
    declared = {name: getattr(kind, "__metadata__", ()) for name, kind in Settings.__annotations__.items()}
    return {name: extra[0] for name, extra in declared.items() if extra}
