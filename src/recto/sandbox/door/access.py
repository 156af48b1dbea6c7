"""Where a door leads: to what the operator named, and to the hosts that the index's pages name."""

from __future__ import annotations

from msgspec import Struct

from recto.addresses import inward
from recto.sandbox.door.destinations import Destination


class Access(Struct, frozen=True):
    """Destinations that a build may reach.

    `named` are the operator's own: the index, and further hosts of the settings; they may be anywhere. `learned` are
    names that pages of the index give, which the index's words alone do not lead into a private network.
    """

    named: frozenset[Destination] = frozenset()
    learned: frozenset[Destination] = frozenset()

    def allows(self, destination: Destination) -> bool:
        """Whether exactly this host, this port and this way of speaking to it are allowed."""
        return destination in self.named or (destination in self.learned and not destination.numeric)

    def reachable(self, destination: Destination, addresses: list[str], own: frozenset[str]) -> list[str]:
        """Those of the addresses of a destination that it may be reached at.

        `own` are the addresses of what is named with the same port: an index may serve its files beside its pages.
        """
        if destination in self.named:
            return addresses
        return [address for address in addresses if not inward(address) or address in own]

    def beside(self, destination: Destination) -> list[Destination]:
        """What is named with the port of the destination."""
        return [one for one in sorted(self.named) if one.port == destination.port]
