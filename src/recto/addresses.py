"""Addresses that a name must not lead a build to: this machine, its networks, and what clouds tell machines there."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IPv4 addresses in IPv6 ones, for translators (RFC 6052; RFC 8215 has a local one, of which nothing is global).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Public by their numbers, and answered by the host of a virtual machine or the network that it is in: credentials of
# an agent (Azure), the metadata of an instance (Oracle; RFC 6890 keeps the block for protocols).
_BESIDE_THE_MACHINE = (ipaddress.IPv4Network("168.63.129.16/32"), ipaddress.IPv4Network("192.0.0.0/24"))


def inward(text: str) -> bool:
    """Whether the address is of this machine, of a private network, or of none that the world has.

    Loopback, link-local with the metadata services, private, shared (RFC 6598), multicast, unspecified, reserved, and
    tunnels of IPv6 through IPv4, which nobody should meet any more (RFC 7526). True where it is not an address.
    """
    try:
        address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv6Address) and (address.sixtofour or address.teredo):
        return True
    if any(address in network for network in _BESIDE_THE_MACHINE):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
