"""Which Recto this is, for rooms below the library."""

VERSION = "0.1.0"
