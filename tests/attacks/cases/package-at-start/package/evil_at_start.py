"""Runs whenever an interpreter of the environment starts, so at the proof of it and at each render."""

import errno
import json
import os
import socket
import sys
import urllib.error
import urllib.request


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


def names(path):
    def act():
        if not [name for name in os.listdir(path) if name not in os.path.realpath(sys.prefix)]:
            raise LookupError

    return act


def tries():
    environment = os.path.realpath(sys.prefix)
    return {
        "environment": planted(environment + "/planted.pth"),
        "cache": planted("@data@/v1/cache/uv/planted"),
        "bytecode": planted("@data@/v1/bytecode/planted"),
        "names in the cache": names("@data@/v1/cache/uv"),
        "index": lambda: urllib.request.urlopen("@index@secret-in-a-name/", timeout=2).close(),
        "secret": lambda: open("@away@/secret", "rb").close(),
    }


# Tried wherever it is started, by the installer too; only a render shows it a project to write this to.
seen = {name: became(act) for name, act in tries().items()}
if not os.path.exists("@project@/seen.json") and os.access("@project@", os.W_OK):
    with open("@project@/seen.json", "w") as file:
        json.dump(seen, file)
