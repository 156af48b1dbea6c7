"""One command, contained: a port and one file per mechanism."""
