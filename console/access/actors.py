"""Who does something, and from where: what operations and audit entries store about a person."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from console.audit.models import CONSOLE_NAME


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at the moment of acting. `user_id` is None for the console itself."""

    user_id: int | None
    name: str
    ip: str = ""
    request_id: str = ""


CONSOLE = Actor(None, CONSOLE_NAME)


def actor_from(request: HttpRequest) -> Actor:
    """Return the person behind a request."""
    user: Any = request.user
    name = user.get_username() if user.is_authenticated else ""
    return Actor(user.pk, name, client_ip(request), getattr(request, "request_id", ""))


def client_ip(request: HttpRequest) -> str:
    """Return the address that the outermost trusted proxy saw; X-Forwarded-For beyond it is the client's own word.

    The header counts only on requests that come from CONSOLE_PROXY_NETWORKS.
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    if not settings.TRUSTED_PROXIES or not _is_proxy(direct):
        return direct
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    chain = [*hops, direct]
    return str(chain[max(0, len(chain) - 1 - settings.TRUSTED_PROXIES)])


def _is_proxy(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # a unix socket has none
        return False
    meant = getattr(address, "ipv4_mapped", None) or address
    return any(meant in network for network in settings.PROXY_NETWORKS)
