"""The month, made once for the tests of this folder, and taken back after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction

from console.operations.lookups import form_choices
from console.redis_client import client
from tests.audit.month.clock import Clock, standing
from tests.audit.month.cluster import clusters, settings_of
from tests.audit.month.month import BEFORE, CLUSTERS, QUICK, WHOLE, Month
from tests.broker import broker
from tests.redis_server import RedisServer
from tests.sweeps import IS_WHOLE


@pytest.fixture(scope="package")
def month(
    redis_process: RedisServer, django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Month]:
    """What happened, with the console as it is after it. Its clock stands at the end."""
    redis_process.empty()
    clock = Clock(BEFORE)
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), standing(clock):
        from django.conf import settings

        patch.setattr(settings, "REDIS_URL", redis_process.url)
        client.cache_clear()
        form_choices._kept.clear()
        cache.clear()
        with broker("memory://"), clusters(CLUSTERS, clock) as found, transaction.atomic():
            patch.setattr(settings, "CLUSTERS", settings_of(found))
            made = Month(found, clock, tmp_path_factory.mktemp("month"), WHOLE if IS_WHOLE else QUICK)
            made.live()
            yield made
            transaction.set_rollback(True)
        client.cache_clear()
