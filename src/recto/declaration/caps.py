"""Caps that are checked before anything is parsed. A file over a cap is refused, never cut short.

Measured on 87 published requirements files: the largest has 58,670 bytes (in UTF-16), the longest 549 lines, and no
line has over 500 characters.
"""

from __future__ import annotations

# Bytes of a requirements file, `_quarto.yml` or `pyproject.toml`.
FILE_BYTES = 262_144
# Bytes of a `pylock.toml`; 300 packages with all their wheels come to about 1 MB.
LOCK_BYTES = 2_000_000
# Bytes of a document; notebooks carry their outputs.
DOCUMENT_BYTES = 20_000_000
# Bytes of YAML with a `python` key, be it front matter or `_quarto.yml`: it is parsed at about 100 kB a second.
YAML_BYTES = 65_536
# A reader may stop here: whatever is longer is refused.
READ_BYTES = DOCUMENT_BYTES + 1

# Lines of a requirements file, entries of a list of dependencies.
LINES = 5_000
# Characters of one line, and of one requirement without its hashes.
LINE_CHARACTERS = 4_096
# Levels of `-r` or `-c` below the first file, and files so included in all.
INCLUDE_DEPTH = 4
INCLUDED_FILES = 20
# Levels of nesting in YAML, and of parentheses in one requirement: the parsers are recursive.
YAML_DEPTH = 50
PARENTHESES = 30
# Dots on one line of TOML: a dotted key costs the square of its parts.
TOML_LINE_DOTS = 300
