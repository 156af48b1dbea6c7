"""Which cause comes first: the rank of each code, lowest first.

What makes other errors happen ranks before what happens because of it. A full disk makes downloads fail; a refused
index makes a package look unknown; a missing compiler makes a build fail; a failed build leaves a module missing.
"""

from __future__ import annotations

_ORDER = (
    ("disk-full",),
    ("externally-managed", "pip-broken"),
    ("index-auth", "network-tls"),
    ("hash-mismatch", "download-corrupt", "vcs-failure", "invalid-requirement", "file-not-found"),
    ("network-unreachable", "network-timeout", "index-error"),
    ("build-no-compiler", "build-no-rust"),
    ("build-missing-library",),
    ("build-script-error", "build-compile-error"),
    ("permission-denied", "os-file-error"),
    ("wheel-unsupported", "requires-python", "dependency-conflict"),
    ("no-matching-version", "no-matching-distribution", "no-wheel"),
    ("build-failed-unspecified",),
    ("environment-missing", "kernel-missing", "notebook-invalid", "quarto-input-missing", "pdf-engine-missing"),
    ("out-of-memory", "shared-library-missing", "abi-mismatch", "jupyter-missing"),
    ("missing-module",),
    ("cell-timeout", "cell-missing-file", "kernel-died", "quarto-filter-error"),
    ("cell-error",),
    ("incompatible-installed",),
)

# How much a finding that may be an echo, a retried step or a mere warning falls behind its code's own rank.
WEAK = 1000

RANKS: dict[str, int] = {code: rank for rank, codes in enumerate(_ORDER) for code in codes}
