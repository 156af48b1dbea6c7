"""Modules that no package is to be added for: of Python itself, dropped, left out or of Python 2, and one's own."""

from __future__ import annotations

_DROPPED_NAMES = {
    "3.10": "binhex formatter parser symbol",
    "3.12": "asynchat asyncore distutils imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr"
    " spwd sunau telnetlib uu xdrlib",
}

# Standard modules that newer Pythons have dropped, under the version that did.
DROPPED = {module: version for version, modules in _DROPPED_NAMES.items() for module in modules.split()}

# Distributions that bring a dropped module back under its own name.
BROUGHT_BACK = {
    "aifc": "standard-aifc",
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "audioop": "audioop-lts",
    "cgi": "legacy-cgi",
    "cgitb": "legacy-cgi",
    "chunk": "standard-chunk",
    "distutils": "setuptools",
    "imghdr": "standard-imghdr",
    "mailcap": "standard-mailcap",
    "nntplib": "standard-nntplib",
    "pipes": "standard-pipes",
    "sndhdr": "standard-sndhdr",
    "sunau": "standard-sunau",
    "telnetlib": "standard-telnetlib",
    "uu": "standard-uu",
    "xdrlib": "standard-xdrlib",
}

_LEFT_OUT_NAMES = """
    tkinter _tkinter turtle idlelib sqlite3 _sqlite3 lzma _lzma bz2 _bz2 curses _curses readline dbm _ctypes ensurepip
    venv
"""

# Standard modules that a system's Python may come without.
LEFT_OUT = frozenset(_LEFT_OUT_NAMES.split())

# Names of Python 2 modules, with what took their place.
RENAMED = {
    "BaseHTTPServer": "http.server",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "HTMLParser": "html.parser",
    "Queue": "queue",
    "SocketServer": "socketserver",
    "StringIO": "io",
    "Tkinter": "tkinter",
    "__builtin__": "builtins",
    "cPickle": "pickle",
    "cStringIO": "io",
    "commands": "subprocess",
    "cookielib": "http.cookiejar",
    "copy_reg": "copyreg",
    "httplib": "http.client",
    "thread": "_thread",
    "tkMessageBox": "tkinter.messagebox",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
}

_OWN_NAMES = """
    analysis app benchmark benchmarks build common conf config configs conftest constants core data doc docs example
    examples func functions helper helpers lib libs main misc model models my_functions my_module my_utils notebooks
    params parameters plots plotting sample samples script scripts settings setup src test tests tool tools util utils
    utilities
"""

# What people call files of their own. Wheels carry such modules by mistake (`tests`, `docs`), and nobody means those.
OWN = frozenset(_OWN_NAMES.split())
