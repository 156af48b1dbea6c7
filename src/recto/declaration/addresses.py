"""Lines that name an address, a repository or a path instead of a package of the index.

Nothing is offered as a button where the package may not be on the index: a project of the same name there can belong
to anybody. The exception is what `pip freeze` writes inside conda (`attrs @ file:///tmp/build/…`), where the name is
that of the published package.
"""

from __future__ import annotations

import re

from recto.declaration.entry import Entry
from recto.declaration.showing import shown
from recto.problems import Problem

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:(\[[^\]]*\])\s*)?@\s*(\S.*)")
_SCHEME = re.compile(
    r"[\"']?[A-Za-z][A-Za-z0-9+.-]*:(?://|/)|[\"']?(?:git|hg|svn|bzr)\+|[\"']?git@|file:", re.IGNORECASE
)
_VCS = re.compile(r"[\"']?(?:(?:git|hg|svn|bzr)\+|git(?:@|:)|[^#?]*\.git(?:[@#].*)?$)", re.IGNORECASE)
_PATH = re.compile(r"[\"']?(?:\.{0,2}[/\\]|\.{1,2}(?:$|\[|\s)|~|[A-Za-z]:[/\\]|[^\s;]*[/\\])")
_ARCHIVE = re.compile(r"\.(?:whl|zip|egg|tar|tgz|tar\.(?:gz|bz2|xz))(?=$|[\s#?;\"'])", re.IGNORECASE)
_FILE_NAME = re.compile(r"[^\s;/\\]+\.(?:txt|in|toml|ya?ml|lock|cfg)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_CONDA_BUILD = re.compile(
    r"file://.*(?:/croot/|/conda-bld/|/feedstock_root/|/recipes/ci/|/ktietz/|/tmp/build/|_\d{10,}/work)"
)
_EGG = re.compile(r"(?:^|&)egg=([A-Za-z0-9][A-Za-z0-9._-]*)")


def refusal(entry: Entry) -> Problem | None:
    """`declaration-url` for an address, a repository, an archive or a path; None for anything else."""
    text = entry.text
    named = None if text.startswith("git@") else _NAMED.match(text)
    if named:
        return _of_named(entry, named[1] + (named[2] or ""), named[3])
    if _FILE_NAME.fullmatch(text):
        return _file(entry)
    if not (_SCHEME.match(text) or _PATH.match(text) or _ARCHIVE.search(text.split()[0])):
        return None
    return entry.refused("declaration-url", line=shown(text, 80), what=_kind(text), instead=instead_of(text))


def instead_of(address: str) -> str:
    """What to write instead of an address."""
    egg = _EGG.search(address.partition("#")[2])
    if egg:
        name = egg[1]
    elif _VCS.match(address):
        name = _repository(address)
    else:
        name = _pin_of_file(address)
    wanted = f"Write `{shown(name, 80)}`" if name else "Write the name of the package"
    return f"{wanted}, if that is its name on the index; else it cannot be installed here."


def _file(entry: Entry) -> Problem | None:
    """The refusal of what reads as the name of a file; None for a package that the tables know by that name.

    `ruamel.yaml` and `mine.yaml` are both names that a package may have, and nobody who forgets `-r` should be given
    a stranger's package. Of the same name in another spelling (PEP 503), nobody can think that it is a file's.
    """
    from recto.problems.modules import is_distribution

    text = entry.text
    if is_distribution(text):
        return None
    instead = f"Write `-r {shown(text, 80)}` to include that file."
    if _NAME.fullmatch(text):
        instead += f" A package of this name is written `{shown(re.sub(r'[-_.]+', '-', text), 80)}`."
    return entry.refused("declaration-url", line=shown(text, 80), what="a file", instead=instead)


def _repository(address: str) -> str:
    path = re.split(r"[#?]", address.strip("\"'"))[0].rstrip("/")
    without_user = re.sub(r"(//|^)[^/@]*@", r"\1", path, count=1)
    last = re.search(r"[/:]([A-Za-z0-9][^/:@]*?)(?:\.git)?(?:@[^@]*)?$", without_user)
    return last[1] if last else ""


def _of_named(entry: Entry, name: str, address: str) -> Problem | None:
    version = re.match(r"v?(\d[\w.!+*]*)\s*(?:;|$)", address)
    if version:
        return None
    if not _CONDA_BUILD.match(address):
        instead = f"Write `{shown(name, 80)}`, if that is its name on the index; else it cannot be installed here."
        return entry.refused("declaration-url", line=shown(entry.text, 80), what=_kind(address), instead=instead)
    file, _, marker = address.partition(" ;")
    pin = _pin_of_file(file)
    wanted = f"{name}=={pin.partition('==')[2]}" if pin else name
    new = f"{wanted} ;{marker}" if marker else wanted
    return entry.refused(
        "declaration-url",
        entry.rewrite(f"Write `{wanted}`", new),
        line=shown(entry.text, 80),
        what="a path of the machine where the file was written",
        instead=f"Write `{wanted}`.",
    )


def _pin_of_file(address: str) -> str:
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    file = re.split(r"[#?]", address.strip("\"' "))[0].replace("\\", "/").rpartition("/")[2]
    try:
        name, version = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return ""
    return f"{name}=={version}"


def _kind(address: str) -> str:
    if _VCS.match(address):
        return "a repository"
    if _SCHEME.match(address) and not address.lower().lstrip("\"'").startswith("file:"):
        return "an address"
    return "a path"
