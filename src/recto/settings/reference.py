"""The reference page of the settings."""

from __future__ import annotations

from recto.settings.model import PREFIX, declared


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
    for name, setting in declared().items():
        lines.append(f"| `{PREFIX}{name.upper()}` | `{name}` | {setting.shown} | {setting.doc} |")
    return "\n".join(lines) + "\n"
