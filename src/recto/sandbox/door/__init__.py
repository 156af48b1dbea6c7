"""A build's only way out: a Unix socket, and behind it a proxy that leads to the package index and nowhere else.

    build -> 127.0.0.1:PORT (`forwarder`, inside) -> socket file -> `proxy` (outside, in our process) -> index

Inside there is no other network: no address to route to, no names, no proxy's password.
"""
