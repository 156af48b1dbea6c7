"""Settings: environment variables and one TOML file to frozen options. Nobody else reads the environment.

Every setting is declared once, as a field of `Settings` with its unit and its sentence; the reference page is made
from the same fields. An environment variable wins over the file, the file over the default. An unknown key or
variable and a value that cannot be are problems, never ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from recto.problems import RectoError, SettingsError, problem

PREFIX = "RECTO_"

# Handed on to the tools that talk to the index, so that they work wherever the user's own clients do.
_NETWORK_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)

# The place of the file, and the mark that the sandbox room gives to the processes of a run, for a Recto inside one.
_NOT_SETTINGS = (f"{PREFIX}CONFIG", f"{PREFIX}RUN")

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMGT]?B|bytes)?")
_UNITS = {None: 1, "bytes": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_size(text: str) -> int:
    """Bytes of an amount such as `20 GB` (decimal units) or a plain number; raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a size such as `20 GB`")
    return int(float(match[1]) * _UNITS[match[2]])


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError("expected a number of seconds") from error
    if not 0 < value < 1e6:
        raise ValueError("expected a number of seconds above 0")
    return value


def _count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("expected a whole number")
    return int(text)


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("expected `on` or `off`")
    return text == "on"


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("expected a path")
    return Path(text).expanduser().absolute()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[ ,]+", text.strip()) if name)


def _text(text: str) -> str:
    if not text:
        raise ValueError("expected a text")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise ValueError("expected an address that begins with `https://` or `http://`")
    return text


def _alias(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError("expected a short name of letters, digits, `.`, `_` and `-`")
    return text


def _setting(default: object, parse: Callable[[str], object], shown: str, doc: str) -> Any:
    return field(default=default, metadata={"parse": parse, "shown": shown, "doc": doc})


class ConfigurationFile(Struct, frozen=True):
    """The file that was looked for, and its bytes; None where there is none."""

    path: Path
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. `network` and `path` are handed on to child processes, not set here."""

    data_dir: Path = _setting(
        Path(),
        _path,
        "`recto` under the user's data home",
        "Where environments, locks and caches live. A path on a local file system.",
    )
    base: Path | None = _setting(
        None,
        _path,
        "the base that `recto base build` makes in the data directory",
        "The base interpreter: a path to a Python executable.",
    )
    python: Path | None = _setting(
        None,
        _path,
        "the interpreter that runs Recto",
        "The Python executable over which `recto base build` makes a base.",
    )
    index_url: str | None = _setting(
        None,
        _address,
        "`UV_DEFAULT_INDEX`, `UV_INDEX_URL` or `PIP_INDEX_URL`, else the default of uv",
        "The package index (PEP 503/691), a URL. It is the only index that is asked.",
    )
    index_name: str = _setting(
        "default",
        _alias,
        "`default`",
        "The name of that index in keys; change it when another index may give other packages.",
    )
    page_seconds: int = _setting(
        600,
        _count,
        "`600`",
        "Seconds for which a page of the index counts as current; `0` asks the index each time. `recto env update` and "
        "whatever finds no answer always do.",
    )
    installing: bool | None = _setting(
        None,
        _switch,
        "`on` at the command line",
        "`on` or `off`: whether packages may be installed at all.",
    )
    packages_max: int = _setting(300, _count, "`300`", "The most packages that one environment may install.")
    download_max: int = _setting(
        3_000_000_000, parse_size, "`3 GB`", "The most that may be downloaded for one environment."
    )
    installed_max: int = _setting(10_000_000_000, parse_size, "`10 GB`", "The most disk that one environment may take.")
    resolve_seconds: float = _setting(120.0, _seconds, "`120`", "Seconds of wall time for one resolution.")
    build_seconds: float = _setting(900.0, _seconds, "`900`", "Seconds of wall time for one build.")
    render_seconds: float = _setting(600.0, _seconds, "`600`", "Seconds of wall time for one render.")
    warm_kernels: int = _setting(
        0,
        _count,
        "`0`",
        "Kernels that a long-lived process keeps started for the next renders of the built-in engine, each for one "
        "project; 0 keeps none. Commands keep none.",
    )
    warm_memory: int = _setting(
        1_000_000_000, parse_size, "`1 GB`", "Bytes of memory that the kernels kept started may take together."
    )
    warm_seconds: float = _setting(
        900.0, _seconds, "`900`", "Seconds after which a kernel that was kept started and not used is ended."
    )
    budget: int = _setting(
        20_000_000_000, parse_size, "`20 GB`", "Bytes on disk that the store may take, hard links counted once."
    )
    free_floor: int = _setting(
        1_000_000_000, parse_size, "`1 GB`", "Bytes that must stay free on the volume of the data directory."
    )
    quarto: Path | None = _setting(None, _path, "the `quarto` on the PATH", "The Quarto executable.")
    render_variables: tuple[str, ...] = _setting(
        ("LANG", "LC_ALL", "TZ"),
        _names,
        "`LANG, LC_ALL, TZ`",
        "Names of environment variables that cells may see, separated by commas.",
    )
    failpoint: str | None = _setting(None, _text, "none", "For tests: the step before which the process kills itself.")
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


def _declared() -> dict[str, Mapping[str, Any]]:
    return {entry.name: entry.metadata for entry in fields(Settings) if entry.metadata}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force: of the environment (default: this process's) over the file over the defaults.

    The file is `$RECTO_CONFIG`, else `recto/config.toml` under the user's configuration home, if it exists. Raises
    SettingsError with every invalid setting.
    """
    environ = os.environ if environ is None else environ
    file = _file(environ)
    raw = {**_from_file(file), **_from_environment(environ)}
    values: dict[str, Any] = {}
    problems = []
    for name, (origin, text) in raw.items():
        try:
            values[name] = _declared()[name]["parse"](text)
        except ValueError as error:
            problems.append(problem("setting-invalid", name=origin, value=_shown(text), reason=str(error)))
    if problems:
        raise SettingsError(problems)
    values.setdefault("data_dir", _home(environ, "XDG_DATA_HOME", ".local/share"))
    values.setdefault("index_url", _index_of_other_clients(environ))
    names = values.get("render_variables", Settings().render_variables)
    return Settings(
        **values,
        network=_network(environ),
        path=environ.get("PATH", os.defpath),
        render_environment={name: environ[name] for name in names if name in environ},
        file=file,
    )


def _shown(text: str) -> str:
    """A value that was refused, without the credentials that an address may hold."""
    from recto.problems.diagnosis import redacted

    return redacted(text)


def _home(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """Our directory below one of the user's (XDG base directories)."""
    home = environ.get(variable)
    return (Path(home) if home else Path.home() / default) / "recto"


def _index_of_other_clients(environ: Mapping[str, str]) -> str | None:
    """The index that uv and pip on this machine are told to use, where nothing was said about ours."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if environ.get(variable):
            return environ[variable]
    return None


def _network(environ: Mapping[str, str]) -> dict[str, str]:
    names = [*_NETWORK_VARIABLES, *(name.lower() for name in _NETWORK_VARIABLES)]
    return {name: environ[name] for name in names if name in environ}


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    known = _declared()
    found = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            raise _unknown(variable, text)
        found[name] = (variable, text)
    return found


def _file(environ: Mapping[str, str]) -> ConfigurationFile:
    named = environ.get(f"{PREFIX}CONFIG")
    path = Path(named) if named else _home(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"
    if not named and not path.is_file():
        return ConfigurationFile(path, None)
    try:
        return ConfigurationFile(path, path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> RectoError:
    return SettingsError(problem("setting-invalid", name=f"{PREFIX}CONFIG", value=path, reason=str(error)))


def _from_file(file: ConfigurationFile) -> dict[str, tuple[str, str]]:
    if file.data is None:
        return {}
    import tomllib

    path = file.path
    try:
        table = tomllib.loads(file.data.decode("utf-8"))
    except ValueError as error:
        raise _unreadable(path, error) from error
    known = _declared()
    found = {}
    for name, value in table.items():
        if name not in known:
            raise _unknown(f"{name} in {path}", str(value))
        found[name] = (f"{name} in {path}", _file_text(value))
    return found


def _file_text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value)


def _unknown(name: str, value: str) -> RectoError:
    return SettingsError(problem("setting-invalid", name=name, value=value, reason="there is no such setting"))


def colour_wanted(environ: Mapping[str, str] | None = None) -> bool:
    """Whether a person's terminal may be given colours: `NO_COLOR` is unset or empty, and the terminal is not dumb."""
    environ = os.environ if environ is None else environ
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def child_environment() -> dict[str, str]:
    """This process's whole environment, for a command that a person runs as their own (`recto run`)."""
    return dict(os.environ)


def reference_page() -> str:
    """The text of `docs/reference/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Each setting is an environment variable, or the key behind it in `config.toml` (`$RECTO_CONFIG`, else",
        "`recto/config.toml` under the user's configuration home). The variable wins. A name that is not in this table",
        "is refused. Sizes are decimal (`20 GB`), times are seconds.",
        "",
        "| variable | key | default | what it sets |",
        "| --- | --- | --- | --- |",
    ]
    for name, meta in _declared().items():
        lines.append(f"| `{PREFIX}{name.upper()}` | `{name}` | {meta['shown']} | {meta['doc']} |")
    return "\n".join(lines) + "\n"
