"""Answers `pip install` in a cell with the lines to add to the declaration. Standard library only: it is copied."""

from __future__ import annotations

import re
import sys

# Options of `pip install` whose next word is their value (pip 26, `pip install --help`).
_VALUED = """
    -c --constraint -e --editable -t --target --platform --python-version --implementation --abi --root --prefix
    --src --upgrade-strategy -C --config-settings --global-option --no-binary --only-binary --progress-bar
    --report -i --index-url --extra-index-url -f --find-links --uploaded-prior-to --group --python --log
    --keyring-provider --proxy --retries --timeout --exists-action --trusted-host --cert --client-cert
    --cache-dir --use-feature --use-deprecated
""".split()  # noqa: SIM905
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^\]]*\])?\s*([<>=!~(;].*)?")


def lines(words: list[str]) -> list[str]:
    """The lines for `requirements.txt` that ask for what these words after `pip install` ask for."""
    found, rest = [], iter(words)
    for word in rest:
        if word in ("-r", "--requirement"):
            found.append(f"-r {next(rest, '')}".rstrip())
        elif word in _VALUED:
            next(rest, None)
        elif _REQUIREMENT.fullmatch(word):
            found.append(word)
    return found


def answer(words: list[str]) -> str:
    """What to tell somebody who ran pip with these words."""
    wanted = lines(words[words.index("install") + 1 :]) if "install" in words else []
    if not wanted:
        return "pip does nothing here: the packages of this document come from its `requirements.txt`."
    those = "this line" if len(wanted) == 1 else "these lines"
    first = f"Packages are not installed from a cell. Add {those} to `requirements.txt`, then render again:"
    return "\n".join((first, "", *wanted))


if __name__ == "__main__":
    sys.stderr.write(answer(sys.argv[1:]) + "\n")
    sys.exit(1)
