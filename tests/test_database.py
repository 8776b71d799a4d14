"""A connection to PostgreSQL is lent for queries, not for the time in which a cluster is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections, transaction

from console import database
from console.access.models import Grant, Role, User
from console.bounded_threads import BoundedThreads
from console.database import Prepared
from console.operations.gateways import gateway_for
from console.operations.models import Preview
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


def test_a_prepared_query_answers_as_djangos_own_for_each_number_and_thread() -> None:
    kinds = ContentType.objects.order_by("-id")
    prepared = Prepared(lambda number: kinds.filter(id__lte=number, model__gt="a").values_list("model", "id"))
    numbers = [one.pk for one in kinds[:3]]
    wanted = [list(kinds.filter(id__lte=number, model__gt="a").values_list("model", "id")) for number in numbers]
    assert wanted[0] != wanted[1]
    assert [prepared.rows(number) for number in numbers] == wanted
    assert [prepared.rows(number) for number in reversed(numbers)] == wanted[::-1]


def test_a_prepared_query_depends_on_several_numbers_and_texts() -> None:
    kinds = ContentType.objects.order_by("id").values_list("app_label", "model")
    prepared = Prepared(lambda label, above, model: kinds.filter(app_label=label, id__gt=above).exclude(model=model))
    wanted = [row for row in kinds if row[0] == "auth" and row[1] != "group"]
    assert wanted
    assert prepared.rows("auth", 0, "group") == wanted
    assert prepared.rows("no such label", 0, "group") == []


def test_a_prepared_query_refuses_a_value_that_is_not_in_its_sql_as_it_is() -> None:
    prepared = Prepared(lambda text: ContentType.objects.filter(model__contains=text).values_list("id"))
    with pytest.raises(ValueError, match="are no parameters of SELECT"):
        prepared.rows("user")


def test_a_prepared_query_gives_instances_whose_other_fields_are_read_when_asked_for() -> None:
    """Its columns come in another order than the model's fields."""
    first = ContentType.objects.order_by("id")[0]
    found = Prepared(lambda number: ContentType.objects.filter(id=number).values_list("model", "id"))
    [one] = found.instances(ContentType, first.pk)
    assert one == first
    assert (one.model, one.get_deferred_fields()) == (first.model, {"app_label"})
    assert one.app_label == first.app_label


def test_a_prepared_query_reads_moments_ids_and_json_as_django_does(people) -> None:
    """SQLite keeps them as texts."""
    names = ("role__permissions", "team__memberships__expires_at", "team__memberships__user__date_joined")
    prepared = Prepared(lambda person: Grant.objects.filter(team__memberships__user=person).values_list(*names))
    person = people["owner"]
    [(permissions, until, joined)] = prepared.rows(person.pk)
    assert (permissions, until, joined) == (Role.objects.get(name="owner").permissions, None, person.date_joined)


def test_a_prepared_query_depends_on_ids_and_moments(people) -> None:
    owner = people["owner"]
    ids = [Preview.objects.create(user=owner, cluster="box", namespace="default", name=name).pk for name in "ab"]
    prepared = Prepared(lambda id: Preview.objects.filter(id=id).values_list("name", "id"))
    assert [prepared.rows(id) for id in ids] == [[("a", ids[0])], [("b", ids[1])]]
    assert prepared.rows(UUID(int=0)) == []
    joined = Prepared(lambda moment: User.objects.filter(date_joined__lt=moment).values_list("pk"))
    long_ago = owner.date_joined - timedelta(days=1)
    User.objects.filter(pk=owner.pk).update(date_joined=long_ago)
    assert joined.rows(long_ago + timedelta(microseconds=1)) == [(owner.pk,)]
    assert joined.rows(long_ago) == []
