"""A connection to PostgreSQL is lent for queries, not for the time in which a cluster is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections, transaction

from console import database
from console.bounded_threads import BoundedThreads
from console.operations.gateways import gateway_for
from tests.operations.conftest import box, world

__all__ = ["box", "world"]
pytestmark = pytest.mark.django_db
postgresql = pytest.mark.only_on("postgresql")


def is_held() -> bool:
    return connection.connection is not None


def ask_a_cluster() -> list[bool]:
    """Whether this thread holds a connection after a query, and when a cluster is about to be asked."""
    ContentType.objects.exists()
    held = [is_held()]
    gateway_for("box", None)
    return [*held, is_held()]


def give_back_within_a_transaction() -> bool:
    with transaction.atomic():
        ContentType.objects.exists()
        database.give_back()
        return is_held()


@postgresql
def test_a_call_to_a_cluster_holds_no_connection(world) -> None:
    with BoundedThreads(1) as threads:
        assert threads.submit(ask_a_cluster).result() == [True, False]


@postgresql
def test_a_transaction_keeps_its_connection() -> None:
    with BoundedThreads(1) as threads:
        assert threads.submit(give_back_within_a_transaction).result()


@postgresql
def test_each_call_in_a_thread_of_web_gives_its_connection_back() -> None:
    with BoundedThreads(1) as threads:
        threads.submit(ContentType.objects.exists).result()
        assert not ThreadPoolExecutor.submit(threads, is_held).result()
        ThreadPoolExecutor.submit(threads, connections.close_all).result()


@pytest.mark.only_on("sqlite")
def test_a_thread_of_web_keeps_its_file_open() -> None:
    with BoundedThreads(1) as threads:
        threads.submit(ContentType.objects.exists).result()
        assert ThreadPoolExecutor.submit(threads, is_held).result()
        ThreadPoolExecutor.submit(threads, connections.close_all).result()
