"""The ingress's table: which host goes to which revisions, as it was last programmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from console.sandbox.knative.objects import Key


@dataclass(frozen=True, slots=True)
class Destination:
    """A revision with its weight among the destinations of one host."""

    revision: Key
    weight: int


class RoutingTable:
    """Hosts by Route; a Route's hosts are replaced at once."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._by_host: dict[str, tuple[Destination, ...]] = {}
        self._hosts: dict[Key, tuple[str, ...]] = {}

    def program(self, route: Key, hosts: Mapping[str, tuple[Destination, ...]]) -> None:
        """Replace everything that this Route had."""
        self.remove(route)
        self._hosts[route] = tuple(hosts)
        self._by_host.update(hosts)

    def remove(self, route: Key) -> None:
        """Forget a Route."""
        for host in self._hosts.pop(route, ()):
            self._by_host.pop(host, None)

    def pick(self, host: str) -> Key | None:
        """A revision by the weights, by chance; None for a host that is not there or that has no weight."""
        destinations = self._by_host.get(host, ())
        weights = [destination.weight for destination in destinations]
        if not sum(weights):
            return None
        return self._chance.choices(destinations, weights)[0].revision
