"""Lines of `conda list --export`: `name=version=build`."""

from __future__ import annotations

import re

from recto.declaration.entry import Entry
from recto.declaration.pep508 import NotARequirement, parse
from recto.declaration.showing import shown
from recto.declaration.stdlib import is_stdlib
from recto.problems import Problem

_EXPORTED = re.compile(r"([A-Za-z0-9_][\w.-]*)=([^=\s]+)=([^=\s]+)")

# Packages of conda that are no Python packages, among those that exports hold most; names that begin with `_` or
# `lib` are none either.
_NOT_PYTHON = frozenset(
    {
        *(
            "python",
            "python_abi",
            "openssl",
            "zlib",
            "ncurses",
            "readline",
            "tk",
            "xz",
            "bzip2",
            "sqlite",
            "blas",
            "mkl",
        ),
        *("ca-certificates", "ld_impl_linux-64", "tzdata", "freetype", "jpeg", "icu", "expat", "glib", "gettext"),
        *("gmp", "mpfr", "openjpeg", "lcms2", "lerc", "zstd", "lz4-c", "zeromq", "yaml", "pcre", "qt", "dbus", "krb5"),
        *("fontconfig", "cairo", "pango", "harfbuzz", "pixman", "hdf5", "intel-openmp", "llvm-openmp", "tbb", "ninja"),
        *("gstreamer", "gst-plugins-base", "brotli-bin", "c-ares", "nodejs", "pandoc", "fftw", "r-base", "vc"),
        *("vs2015_runtime", "ucrt", "giflib", "snappy", "nspr", "nss", "mysql", "graphite2", "cudatoolkit", "cudnn"),
    }
)


def refusal(entry: Entry) -> Problem | None:
    """`conda-export` for such a line, with the line that pip would know; None for anything else."""
    exported = _EXPORTED.fullmatch(entry.text)
    if not exported:
        return None
    name, version = exported[1], exported[2]
    line = shown(entry.text, 80)
    if name.startswith(("_", "lib")) or name.lower() in _NOT_PYTHON or is_stdlib(name):
        instead = "Delete the line: it is no Python package."
        return entry.refused("conda-export", entry.delete(), package=name, line=line, instead=instead)
    pinned = f"{name}=={version}"
    try:
        parse(pinned)
    except NotARequirement:
        instead = f"Write `{name}`, with a version that the index has."
        return entry.refused("conda-export", package=name, line=line, instead=instead)
    fix = entry.rewrite(f"Write `{pinned}`", pinned)
    return entry.refused("conda-export", fix, package=name, line=line, instead=f"Write `{pinned}`.")
