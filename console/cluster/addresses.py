"""Which network addresses the console may be sent to by what a person or a cluster names (SSRF)."""

import ipaddress
import socket
from collections.abc import Iterable

from console.deadlines import give_up_in_time, within

RESOLVE_SECONDS = 10.0
# Clouds give out credentials at these; 169.254.0.0/16 and fe80::/10 are refused as link-local anyway.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "192.0.0.192"))
)
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")  # deprecated, and routed to nobody knows where
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def resolve(host: str) -> tuple[Address, ...]:
    """Return every address of the host; raises OSError or UnicodeError when the name is not known.

    A name service that has not answered after RESOLVE_SECONDS is given up: DeadlineExceeded, an OSError.
    """
    with within(RESOLVE_SECONDS):
        found = give_up_in_time(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    return tuple(parse(str(entry[4][0])) for entry in found)


def parse(text: str) -> Address:
    """Return the address without its zone (`fe80::1%eth0`); raises ValueError."""
    return ipaddress.ip_address(text.partition("%")[0])


def is_forbidden(address: Address, *, loopback: bool = False) -> bool:
    """This machine, the link (cloud metadata lives there), nothing at all; also when hidden in an IPv6 address.

    With `loopback` this machine is allowed, by the plain addresses 127.0.0.0/8 and ::1.
    """
    if loopback and address.is_loopback and not getattr(address, "ipv4_mapped", None):
        return False
    return any(
        ip.is_loopback
        or ip.is_link_local
        or ip.is_unspecified
        or ip.is_multicast
        or (ip.is_reserved and ip not in _NAT64)
        or ip in _METADATA
        or ip in _THIS_NETWORK
        or ip in _SITE_LOCAL
        for ip in _meant(address)
    )


def _meant(address: Address) -> Iterable[Address]:
    """The address, and the IPv4 address that a gateway or the kernel makes of it."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        inside = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
        yield from (found for found in inside if found)
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
