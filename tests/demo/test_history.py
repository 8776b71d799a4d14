"""The demo's history: a log that verifies, and nothing in it that the sandbox does not bear out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import CONSOLE as ITSELF
from console.access.demo_people import make_people
from console.audit import Outcome, verification
from console.audit.models import Entry
from console.demo.script import EVENTS, Release, Route
from console.demo.writing import Writer, write_all
from console.knative import traffic
from console.knative.objects import Revision, Service
from console.mirror.summaries import summarize
from console.operations import queries, traffic_history
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.request_tests.models import AccessTest
from console.sandbox.bootstrap import bootstrap
from console.sandbox.knative.seed import seed
from console.sandbox.knative.seed_demo import CONSOLE
from console.sandbox.resources import REVISIONS, SERVICES
from console.sandbox.store import Store

pytestmark = pytest.mark.django_db
GREETER, CART = "default/greeter", "shop/cart"


@pytest.fixture(scope="module")
def writer(django_db_setup: None, django_db_blocker: Any) -> Iterator[Writer]:
    """What the sandbox is seeded with, and the history written for it; once, for it takes a second."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _written()
        transaction.set_rollback(True)


def _written() -> Writer:
    store = Store()
    bootstrap(store)
    seed(store, "demo")
    services = {f"{one.namespace}/{one.name}": one for one in map(Service, store.list(SERVICES))}
    revisions: dict[str, dict[int, Revision]] = defaultdict(dict)
    for one in map(Revision, store.list(REVISIONS)):
        revisions[f"{one.namespace}/{one.service_name}"][one.configuration_generation] = one
    found = Writer("sandbox", timezone.now(), services, dict(revisions), make_people())
    write_all(found)
    return found


def test_the_log_verifies_and_is_in_order(writer: Writer) -> None:
    assert verification.verify() == Entry.objects.count() > 50
    times = list(Entry.objects.order_by("sequence").values_list("at", flat=True))
    assert times == sorted(times)
    assert writer.now - times[0] == timedelta(days=14)


def test_each_service_ends_as_the_sandbox_has_it(writer: Writer) -> None:
    for address, past in writer.past.items():
        service = writer.services[address]
        assert past.generation == service.generation, address
        assert past.newest == max(writer.revisions[address]), address
        assert past.targets(past.split) == service.spec_traffic, address


def test_each_deployment_has_its_revision_made_then_by_the_console(writer: Writer) -> None:
    deployed = Operation.objects.filter(makes_revision=True)
    assert deployed.count() == sum(isinstance(event, Release) for event in EVENTS)
    for operation in deployed:
        address = f"{operation.namespace}/{operation.name}"
        revision = next(one for one in writer.revisions[address].values() if one.name == operation.revision)
        assert operation.uid == writer.services[address].uid
        assert revision.creator == CONSOLE, operation.revision
        assert abs(revision.created_at - operation.submitted_at) < timedelta(minutes=1), operation.revision
        assert revision.ready.is_true == (operation.status != Status.FAILED)


def test_each_operation_changes_something_and_says_what(writer: Writer) -> None:
    assert [str(one) for one in Operation.objects.all() if not one.changes or not one.kn] == []
    failed = Operation.objects.filter(status=Status.FAILED)
    assert {one.why.name for one in failed} == {"image-missing", "quota"}


def test_who_served_is_known_from_the_first_change_to_now(writer: Writer) -> None:
    routed = {event.service for event in EVENTS if isinstance(event, Route | Release)}
    for address in routed:
        ref = next(writer.ref(event) for event in EVENTS if event.service == address)
        serving = traffic.shares(writer.services[address].status_traffic)
        steps = traffic_history.history(ref, writer.now, serving, writer.now - timedelta(days=14))
        assert [step for step in steps if step.shares is None] == [], address


def test_a_list_names_who_made_the_last_change_and_not_the_console(writer: Writer) -> None:
    written = Operation.objects.filter(is_written=True).order_by("submitted_at")
    last = {f"{one.namespace}/{one.name}": one.actor for one in written}
    assert {address: summarize("sandbox", writer.services[address]).changed_by for address in last} == last


def test_the_last_deployment_of_a_service_has_a_usual_duration(writer: Writer) -> None:
    assert queries.usual(Operation.objects.filter(name="cart", kind="SetEnv").latest("submitted_at")) is not None


def test_tests_answer_as_the_split_was(writer: Writer) -> None:
    for test in AccessTest.objects.all():
        assert set(test.by_revision) <= set(test.wanted)
        assert sum(test.by_revision.values()) + test.failed == test.sent == test.count


def test_no_value_of_a_variable_is_in_the_log(writer: Writer) -> None:
    told = " ".join(str(row) for row in Entry.objects.values_list("changes", "text"))
    assert "debug" not in told
    assert "7200" not in told


def test_a_log_that_has_entries_gets_no_history(writer: Writer, settings) -> None:
    settings.DEMO = True
    before = Entry.objects.count()
    call_command("demo")
    assert Entry.objects.count() == before


def test_an_entry_of_the_past_never_comes_after_a_newer_one(writer: Writer) -> None:
    with pytest.raises(ValueError, match="the newest entry"):
        audit.record("session.sign-in", actor=ITSELF, outcome=Outcome.SUCCEEDED, at=writer.now - timedelta(days=9))
