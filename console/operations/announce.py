"""Telling browsers that an operation moved. A browser that is not told polls, so a silent Redis loses nothing."""

import redis
import structlog

from console.operations.models import OnService
from console.redis_client import announce

log = structlog.get_logger(__name__)


def tell(kind: str, thing: OnService) -> None:
    """Announce an `operation` or `access-test`."""
    try:
        announce(kind, cluster=thing.cluster, namespace=thing.namespace, name=thing.name, id=str(thing.pk))
    except redis.RedisError as error:
        log.warning("announcement_lost", kind=kind, reason=type(error).__name__)
