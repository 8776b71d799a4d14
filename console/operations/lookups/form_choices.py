"""What forms offer from around a service: names of secrets and the like. Never values.

Somebody waits for the page: what a cluster does not answer at once, or does not allow, is left out of the form.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog

from console.access.models import User
from console.cluster.errors import ClusterError, Forbidden, NotFound
from console.cluster.gateway import Gateway
from console.cluster.resources import CLAIMS, CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, Resource
from console.operations.gateways import gateway_for

CACHE_TTL = 30.0
READ_SECONDS = 3.0  # that the page waits for one kind; the first that is not answered ends it
MAX_KEPT = 500  # answers; more than that and all are forgotten

T = TypeVar("T")
log = structlog.get_logger(__name__)
_kept: dict[tuple[str, ...], tuple[float, Any]] = {}


@dataclass(frozen=True, slots=True)
class Names:
    """What a namespace holds that a service may refer to. A kind that may not be listed is empty."""

    secrets: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


def names(cluster: str, namespace: str, user: User) -> Names:
    """Return the names, read with the person's own rights where the cluster sees the person."""

    def read() -> Names:
        gateway = gateway_for(cluster, user, _at_once).with_timeout(READ_SECONDS)
        return Names(*(_names(gateway, kind, namespace) for kind in (SECRETS, CONFIG_MAPS, SERVICE_ACCOUNTS, CLAIMS)))

    return _remembered(("names", cluster, namespace, user.get_username()), read, Names())


def _names(gateway: Gateway, kind: Resource, namespace: str) -> tuple[str, ...]:
    """A kind that the cluster does not have, or does not show, has no names."""
    try:
        return gateway.object_names(kind, namespace)
    except (Forbidden, NotFound) as error:
        log.debug("names_not_shown", kind=kind.plural, reason=type(error).__name__)
        return ()


def _remembered(key: tuple[str, ...], read: Callable[[], T], otherwise: T) -> T:
    """What was read lately, else what is read now; `otherwise` (for as long) when the cluster does not give it."""
    at, found = _kept.get(key, (0.0, None))
    if found is not None and time.monotonic() - at < CACHE_TTL:
        return cast(T, found)
    try:
        fresh = read()
    except ClusterError as error:
        log.info("form_choices_not_read", what=key[0], cluster=key[1], reason=type(error).__name__)
        fresh = otherwise
    if len(_kept) > MAX_KEPT:
        _kept.clear()
    _kept[key] = (time.monotonic(), fresh)
    return fresh


def _at_once(error: ClusterError, _seconds: float) -> None:
    raise error
