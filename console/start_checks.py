"""What a console that others can reach never starts with."""

import ipaddress
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
KEY_LENGTH = 50  # characters; `openssl rand -base64 48` makes 64
KEY_VARIETY = 10  # different characters
MAX_ISSUER_LENGTH = 200  # characters, of allauth's column for the provider


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host."""
    return host.strip("[]").lower() in LOOPBACK


def refuse_unsafe_start(hosts: Collection[str], *, demo: bool, secret_key: str) -> None:
    """Raise ImproperlyConfigured when the hosts are not all loopback and the demo is on or the key can be guessed."""
    public = sorted(host for host in hosts if not is_loopback(host))
    if not public:
        return
    if demo:
        raise ImproperlyConfigured(
            f"The demo has known passwords: loopback only, not {', '.join(public)}. Unset CONSOLE_DEMO or the host."
        )
    if len(secret_key) < KEY_LENGTH or len(set(secret_key)) < KEY_VARIETY:
        raise ImproperlyConfigured(
            "CONSOLE_SECRET_KEY is short or simple enough to guess. Make one with `openssl rand -base64 48`."
        )


def refuse_plain_issuer(issuer: str) -> None:
    """Raise ImproperlyConfigured when the identity provider would be talked to without TLS beyond this machine.

    An issuer is also the name under which its accounts are kept, which has a length.
    """
    address = urlsplit(issuer)
    if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
        raise ImproperlyConfigured("CONSOLE_OIDC_ISSUER must start with https:// (http:// only on loopback).")
    if len(issuer) > MAX_ISSUER_LENGTH:
        raise ImproperlyConfigured(f"CONSOLE_OIDC_ISSUER is longer than {MAX_ISSUER_LENGTH} characters.")


def refuse_unfit_prefixes(user: str, group: str, oidc: str) -> None:
    """Raise ImproperlyConfigured for prefixes that would let an impersonated name be one of the cluster's own."""
    if any(prefix.startswith("system:") for prefix in (user, group, oidc)):
        raise ImproperlyConfigured("CONSOLE_IMPERSONATE_*_PREFIX: Kubernetes reserves names that start with system:.")
    if not oidc:
        raise ImproperlyConfigured(
            "CONSOLE_IMPERSONATE_OIDC_PREFIX must not be empty: without it, somebody at the identity provider could "
            "get the name of a user of the cluster."
        )


def proxy_networks(texts: Sequence[str], proxies: int) -> tuple[Network, ...]:
    """Return the networks that proxies speak from; raises ImproperlyConfigured for one that is not a network.

    With proxies in front there must be one: otherwise whatever reaches the port could name any client address, and
    the limits on wrong passwords and tokens, which count by address, would hold nobody.
    """
    try:
        networks = tuple(ipaddress.ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise ImproperlyConfigured(f"CONSOLE_PROXY_NETWORKS: {error}") from error
    if proxies and not networks:
        raise ImproperlyConfigured(
            "CONSOLE_TRUSTED_PROXIES is set: CONSOLE_PROXY_NETWORKS must say from which addresses the proxy speaks, "
            "for example 10.4.0.0/16 for the pods of the ingress controller."
        )
    return networks
