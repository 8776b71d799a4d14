"""Settings that contradict each other, and keys that do not open what they should."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.http.request import validate_host

from console.access import first_admin, second_factors
from console.audit import checkpoints
from console.doctor.findings import Finding, ok, problem, warning
from console.registry.resealing import lost_values
from console.start_checks import is_loopback


def settings_agree() -> Iterator[Finding]:
    """The address that people use against the hosts, the proxy, the cookies and the database."""
    part, address = "settings", urlsplit(settings.EXTERNAL_URL)
    host = address.hostname or ""
    found = [
        *_host(part, host),
        *(_beyond_this_machine(part) if not is_loopback(host) else ()),
    ]
    yield from found or [ok(part, f"people use {settings.EXTERNAL_URL}")]


def _host(part: str, host: str) -> Iterator[Finding]:
    if not validate_host(host, settings.ALLOWED_HOSTS):
        text = f"CONSOLE_URL is {settings.EXTERNAL_URL}, but {host or 'an empty host'} is not in CONSOLE_ALLOWED_HOSTS"
        yield problem(part, text, f"Add {host} to CONSOLE_ALLOWED_HOSTS: requests to it are answered with 400.")


def _beyond_this_machine(part: str) -> Iterator[Finding]:
    if not settings.HTTPS:
        yield problem(
            part,
            f"{settings.EXTERNAL_URL} is plain HTTP: passwords and session cookies cross the network readable",
            "Put a proxy with TLS in front and set CONSOLE_URL to its https:// address.",
        )
    elif settings.SECURE_PROXY_SSL_HEADER is None:
        yield warning(
            part,
            "TLS ends at a proxy, whose X-Forwarded-Proto is not believed",
            "Set CONSOLE_BEHIND_TLS_PROXY=true if the proxy sets that header on every request.",
        )
    if not settings.TRUSTED_PROXIES:
        yield warning(
            part,
            "no proxy is trusted: behind one, the audit log and the limits on wrong passwords see only its address",
            "Set CONSOLE_TRUSTED_PROXIES and CONSOLE_PROXY_NETWORKS.",
        )
    if connection.vendor == "sqlite":
        yield warning(
            part,
            "the database is SQLite: one machine only, and one writer at a time",
            "Set CONSOLE_DATABASE_URL to a PostgreSQL database for a team.",
        )


def keys_open_everything() -> Iterator[Finding]:
    """Whether the keys decrypt what is stored encrypted; which one signs checkpoints."""
    part = "keys"
    lost = [count for count in (*lost_values(), second_factors.lost_values()) if count.lost]
    for count in lost:
        yield problem(
            part,
            f"no key decrypts {count.lost} of {count.column}",
            "Add the key that encrypted them to CONSOLE_ENCRYPTION_KEYS, or without that setting to"
            " CONSOLE_SECRET_KEY_FALLBACKS.",
        )
    if not lost:
        signer = checkpoints.public_keys()[0]
        yield ok(part, f"all stored secrets can be decrypted; checkpoints are signed with {signer}")


def an_administrator_exists() -> Iterator[Finding]:
    part = "people"
    if first_admin.needed():
        yield problem(part, "nobody is an administrator", "Run `manage.py first_admin` and open the link it prints.")
    else:
        yield ok(part, "there is an administrator")
