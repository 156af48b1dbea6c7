"""What to ask for in place of a name that leads nowhere: curated, each with its reason, and never a guess."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Alternative(Struct, frozen=True):
    """A package with wheels; with `same_import`, a document need not change for it."""

    name: str
    reason: str
    same_import: bool = True


# Names that people write for a package, which are neither its name nor that of its import. Some of them are on the
# index, put there by the package's own people so that nobody else does, and cannot be installed.
ALIASES: Mapping[str, str] = {
    "beautifulsoup": "beautifulsoup4",
    "opencv": "opencv-python-headless",
    "pytorch": "torch",
}

# Packages of which the index has source only, by normalised name.
ALTERNATIVES: Mapping[str, Alternative] = {
    "psycopg2": Alternative("psycopg2-binary", "its own makers publish it, ready-made, for use as `psycopg2`"),
    "pycrypto": Alternative("pycryptodome", "it took the place of `pycrypto` and is imported as `Crypto` too"),
    "pillow-simd": Alternative("pillow", "it is what `pillow-simd` was made from, imported as `PIL` too"),
    "tensorflow-gpu": Alternative("tensorflow", "it uses a GPU where there is one, and `tensorflow-gpu` has ended"),
    "mysql-connector": Alternative("mysql-connector-python", "it is the newer name, imported as `mysql.connector` too"),
    "mysqlclient": Alternative("PyMySQL", "it is pure Python, imported as `pymysql`", same_import=False),
    "mysql-python": Alternative("PyMySQL", "it is pure Python, imported as `pymysql`", same_import=False),
    "python-ldap": Alternative("ldap3", "it is pure Python, imported as `ldap3`", same_import=False),
    "fbprophet": Alternative("prophet", "it is the newer name, imported as `prophet`", same_import=False),
}

# Packages that load libraries of the system at their import, by normalised name, and what brings its own instead: the
# same releases under the same import name.
SELF_CONTAINED: Mapping[str, str] = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
    "psycopg": "psycopg[binary]",
}
