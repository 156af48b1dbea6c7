"""A build script that reaches for what others share, and for secrets."""

import errno
import json
import os
import socket
import urllib.error
import urllib.request
import zipfile


def became(act):
    try:
        act()
    except LookupError:
        return "LookupError"
    except urllib.error.HTTPError as error:
        # Whoever is told that a name is not there has asked.
        return "done" if error.code == 404 else "EACCES"
    except socket.gaierror:
        return "gaierror"
    except OSError as error:
        while isinstance(getattr(error, "reason", None), OSError):
            error = error.reason
        return errno.errorcode.get(error.errno, type(error).__name__)
    return "done"


def planted(path):
    def act():
        with open(path, "ab") as file:
            file.write(b"planted")

    return act


def told():
    if "@token@" not in "".join(os.environ.values()):
        raise LookupError


TRIES = {
    "shared cache": planted("@data@/v1/cache/uv/planted"),
    "environments": planted("@data@/v1/envs/planted"),
    "project": planted("@project@/ran"),
    "secret": lambda: open("@away@/secret", "rb").close(),
    "secret in its environment": told,
    "index by its address": lambda: urllib.request.build_opener(urllib.request.ProxyHandler({})).open("@index@"),
}


def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, info = "evil-1.0-py3-none-any.whl", "evil-1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        wheel.writestr("evil_seen.json", json.dumps({name: became(act) for name, act in TRIES.items()}))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", f"evil_seen.json,,\n{info}METADATA,,\n{info}WHEEL,,\n{info}RECORD,,\n")
    return name
