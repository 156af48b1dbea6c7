"""Settings: each read from its variable and from the file, refused when it cannot be, documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from recto.problems import SettingsError
from recto.settings import Settings, colour_wanted, load
from recto.settings.model import declared
from recto.settings.readers import parse_size
from recto.settings.reference import reference_page

# For each setting: a text, and what it means.
EXAMPLES: dict[str, tuple[str, object]] = {
    "sandbox": ("bubblewrap", "bubblewrap"),
    "builds": ("trusted", "trusted"),
    "sandbox_memory": ("1 GB", 10**9),
    "sandbox_processes": ("64", 64),
    "sandbox_cpus": ("1.5", 1.5),
    "sandbox_open_files": ("256", 256),
    "sandbox_file": ("1 GB", 10**9),
    "sandbox_disk": ("1 GB", 10**9),
    "sandbox_scratch": ("64 MB", 64 * 10**6),
    "sandbox_show": ("/opt/texlive:/opt/fonts", (Path("/opt/texlive"), Path("/opt/fonts"))),
    "sandbox_uid": ("1234", 1234),
    "index_hosts": ("files.example, more.example", ("files.example", "more.example")),
    "data_dir": ("/srv/recto", Path("/srv/recto")),
    "base": ("/opt/python/bin/python3", Path("/opt/python/bin/python3")),
    "python": ("/usr/bin/python3", Path("/usr/bin/python3")),
    "index_url": ("https://mirror.example/simple", "https://mirror.example/simple"),
    "index_name": ("mirror", "mirror"),
    "page_seconds": ("60", 60),
    "installing": ("off", False),
    "last_good": ("on", True),
    "packages_max": ("12", 12),
    "download_max": ("1.5 GB", 1_500_000_000),
    "installed_max": ("800MB", 800_000_000),
    "resolve_seconds": ("7.5", 7.5),
    "build_seconds": ("60", 60.0),
    "render_seconds": ("30", 30.0),
    "warm_kernels": ("4", 4),
    "warm_memory": ("2 GB", 2_000_000_000),
    "warm_seconds": ("120", 120.0),
    "budget": ("5 GB", 5_000_000_000),
    "free_floor": ("0", 0),
    "quarto": ("/opt/quarto/bin/quarto", Path("/opt/quarto/bin/quarto")),
    "render_variables": ("LANG, API_KEY", ("LANG", "API_KEY")),
    "gateway_indexes": (
        "https://own.example/simple https://mirror.example/simple",
        ("https://own.example/simple", "https://mirror.example/simple"),
    ),
    "gateway_rules": ("/etc/recto/rules.toml", Path("/etc/recto/rules.toml")),
    "gateway_advisories": ("/srv/advisories", Path("/srv/advisories")),
    "gateway_bytes": ("50 GB", 50 * 10**9),
    "audit": ("off", False),
    "audit_bytes": ("1 MB", 10**6),
    "audit_days": ("30", 30.0),
    "audit_kept": ("500 MB", 500 * 10**6),
    "failpoint": ("staged", "staged"),
}
NAMES = list(declared())


def refused(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as error:
        load({"XDG_CONFIG_HOME": "/nowhere", **environ})
    return error.value.problems[0].message


def test_every_setting_has_an_example_here() -> None:
    assert sorted(EXAMPLES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_read_from_its_variable(name: str) -> None:
    text, meaning = EXAMPLES[name]
    assert getattr(load({f"RECTO_{name.upper()}": text, "XDG_CONFIG_HOME": "/nowhere"}), name) == meaning


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_read_from_the_file_and_the_variable_wins(name: str, tmp_path: Path) -> None:
    text, meaning = EXAMPLES[name]
    file = tmp_path / "config.toml"
    file.write_text(f'{name} = "{text}"\n')
    assert getattr(load({"RECTO_CONFIG": str(file)}), name) == meaning
    file.write_text(f'{name} = ""\n')
    assert getattr(load({"RECTO_CONFIG": str(file), f"RECTO_{name.upper()}": text}), name) == meaning


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_documented_with_its_default(name: str) -> None:
    (row,) = [line for line in reference_page().splitlines() if line.startswith(f"| `RECTO_{name.upper()}` |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 4
    assert all(cells)


def test_values_of_the_file_may_have_types(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('installing = false\npackages_max = 5\nrender_variables = ["LANG", "TZ"]\nbudget = 1000\n')
    settings = load({"RECTO_CONFIG": str(file)})
    assert (settings.installing, settings.packages_max, settings.budget) == (False, 5, 1000)
    assert settings.render_variables == ("LANG", "TZ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RECTO_BUDGET", "lots"),
        ("RECTO_BUDGET", "-5 GB"),
        ("RECTO_BUDGET", "5 GiB"),
        ("RECTO_PACKAGES_MAX", "many"),
        ("RECTO_RESOLVE_SECONDS", "0"),
        ("RECTO_RESOLVE_SECONDS", "nan"),
        ("RECTO_RESOLVE_SECONDS", "inf"),
        ("RECTO_INSTALLING", "yes"),
        ("RECTO_DATA_DIR", ""),
        ("RECTO_INDEX_NAME", "my index"),
        ("RECTO_INDEX_URL", "htp://mirror.example/simple"),
        ("RECTO_INDEX_URL", "mirror.example/simple"),
        ("RECTO_INDEX_URL", "https://[mirror"),
        ("RECTO_NO_SUCH_SETTING", "1"),
    ],
)
def test_what_cannot_be_is_refused_by_name(variable: str, value: str) -> None:
    assert f"`{variable}`" in refused({variable: value})


def test_a_refused_address_keeps_its_password_to_itself() -> None:
    assert "hunter2" not in refused({"RECTO_INDEX_URL": "htp://ann:hunter2@mirror.example/simple"})


def test_all_invalid_settings_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load({"RECTO_BUDGET": "x", "RECTO_FREE_FLOOR": "y", "XDG_CONFIG_HOME": "/nowhere"})
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("text", ["not toml", "no_such_key = 1", "budget = 'lots'"])
def test_a_bad_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load({"RECTO_CONFIG": str(file)})
    assert "config.toml" in str(error.value)


def test_a_file_that_was_named_and_is_not_there_is_refused() -> None:
    assert "RECTO_CONFIG" in refused({"RECTO_CONFIG": "/nowhere/config.toml"})


def test_without_settings_data_goes_to_the_users_data_home() -> None:
    assert load({"XDG_DATA_HOME": "/home/ann/data", "XDG_CONFIG_HOME": "/nowhere"}).data_dir == Path(
        "/home/ann/data/recto"
    )


def test_the_mark_of_an_outer_run_is_no_setting() -> None:
    assert load({"RECTO_RUN": "3f2a", "XDG_CONFIG_HOME": "/nowhere"}).budget == Settings().budget


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_the_index_of_the_machines_other_clients_is_used(variable: str) -> None:
    environ = {variable: "https://mirror.example/simple", "XDG_CONFIG_HOME": "/nowhere"}
    assert load(environ).index_url == "https://mirror.example/simple"
    assert load({**environ, "RECTO_INDEX_URL": "https://ours.example"}).index_url == "https://ours.example"


def test_installers_see_the_way_to_the_network_and_nothing_else() -> None:
    settings = load(
        {"https_proxy": "http://proxy:3128", "SSL_CERT_FILE": "/ca.pem", "AWS_SECRET": "x", "XDG_CONFIG_HOME": "/x"}
    )
    assert settings.network == {"https_proxy": "http://proxy:3128", "SSL_CERT_FILE": "/ca.pem"}


def test_cells_see_the_variables_that_were_named_and_no_others() -> None:
    environ = {"LANG": "C.UTF-8", "API_KEY": "k", "SECRET": "s", "XDG_CONFIG_HOME": "/nowhere"}
    assert load(environ).render_environment == {"LANG": "C.UTF-8"}
    assert load({**environ, "RECTO_RENDER_VARIABLES": "API_KEY"}).render_environment == {"API_KEY": "k"}


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("1 kB", 1000), ("1.5MB", 1_500_000), ("2 TB", 2 * 10**12), ("7 bytes", 7)]
)
def test_sizes_are_decimal(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(
    ("environ", "wanted"), [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_can_be_declined(environ: dict[str, str], wanted: bool) -> None:
    assert colour_wanted(environ) is wanted


def test_a_process_of_our_own_works_on_the_same_store_and_sees_nothing_else() -> None:
    settings = load({"RECTO_DATA_DIR": "/srv/recto", "RECTO_BUILD_SECONDS": "60", "PATH": "/bin", "TOKEN": "secret"})
    variables = settings.for_own_process()
    assert "secret" not in variables.values()
    again = load(variables)
    assert (again.data_dir, again.build_seconds, again.path) == (Path("/srv/recto"), 60.0, "/bin")
