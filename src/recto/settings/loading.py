"""From variables and a file to settings, and the few questions to the environment that are no settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recto.problems import RectoError, SettingsError, problem
from recto.settings.model import PREFIX, ConfigurationFile, Settings, declared

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
            values[name] = declared()[name].parse(text)
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
    known = declared()
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
    known = declared()
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
