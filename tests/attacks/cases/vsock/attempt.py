"""Makes a socket to the hypervisor; it is not connected to anything."""

import socket


def tries(given):
    return {"vsock": lambda: socket.socket(40, socket.SOCK_STREAM).close()}
