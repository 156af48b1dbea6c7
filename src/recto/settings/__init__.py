"""Settings: environment variables and one TOML file to frozen options. Nobody else reads the environment.

Every setting is declared once, as a field of `Settings` with its unit and its sentence; the reference page is made
from the same fields. An environment variable wins over the file, the file over the default. An unknown key or
variable and a value that cannot be are problems, never ignored.
"""

from recto.settings.loading import child_environment, colour_wanted, load
from recto.settings.model import ConfigurationFile, Settings

__all__ = ["ConfigurationFile", "Settings", "child_environment", "colour_wanted", "load"]
