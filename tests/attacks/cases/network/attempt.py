"""Connects to services of the machine, and to whatever may be beyond it."""

import socket

from trying import connect


def tries(given):
    return {
        "loopback": connect(socket.AF_INET, ("127.0.0.1", given["port"])),
        "abstract socket": connect(socket.AF_UNIX, "\0" + given["abstract"]),
        "socket with a path": connect(socket.AF_UNIX, given["socket"]),
        "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
        "packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
        "metadata of a cloud": connect(socket.AF_INET, ("169.254.169.254", 80)),
        "outside": connect(socket.AF_INET, ("192.0.2.1", 80)),
        "name server": connect(socket.AF_INET, ("192.0.2.1", 53), socket.SOCK_DGRAM),
        "name": lambda: socket.getaddrinfo("example.com", 80),
    }
