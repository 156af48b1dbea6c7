"""Asks pip, in the environment, for its settings."""

import json
import os
import subprocess
import sys

given = json.load(sys.stdin)
argv = (sys.executable, "-m", "pip", "--isolated", "config", "list")
said = subprocess.run(argv, env={"PYTHONPATH": given["pip"]}, capture_output=True, text=True, check=True).stdout
seen = {"planted": os.path.exists(sys.prefix + "/pip.conf"), "another index": given["index"] in said}
json.dump({name: "done" if is_so else "ENOENT" for name, is_so in seen.items()}, sys.stdout)
