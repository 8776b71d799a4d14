"""The kept order of services is the one that would be made now, for each set of rights, filter and order."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from console.access.authorization import Right, Rights
from console.access.models import User
from console.access.permissions import Permission
from console.access.tokens import NarrowedRights, TokenScope
from console.cluster.resources import SERVICES
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.overview import ClusterNow
from console.mirror.store import MirrorWriter
from console.web import visible
from console.web.attention import reason_of
from console.web.service_list import SORTS, Filter
from console.web.visible import Order, listing
from tests import factories
from tests.support.calls import counted

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
SEE = frozenset({Permission.VIEW})
FILTERS = (Filter(), Filter(text="s1"), Filter(namespace="other"), Filter(health="failed"), Filter(text="tier=back"))


def rights(namespace: str = "*", **selector: str) -> Rights:
    return Rights(User(), [Right(SEE, "*", namespace, selector, "viewer", "team")])


PEOPLE = (rights(), rights("def*"), rights(tier="front"), Rights(User(), ()))


def box() -> dict[str, ClusterNow]:
    """Where the mirror of the cluster is now."""
    return {"box": ClusterNow(read.mark("box"), read.Mark("", 0), {})}


def service(random: Random, name: str, namespace: str) -> dict:
    raw = factories.service(name, namespace)
    raw["metadata"]["labels"] = {"tier": random.choice(["front", "back"])}
    raw["metadata"]["creationTimestamp"] = f"2026-11-{random.randint(1, 28):02}T10:00:00Z"
    if random.random() < 0.3:
        raw["status"]["conditions"] = [{"type": "Ready", "status": random.choice(["False", "Unknown"]), "reason": "R"}]
    return raw


def check(person: Rights, asked: Filter, order: str, *, only_concerns: bool) -> None:
    """The list is what sorting and filtering all services gives."""
    waiting = {ServiceRef("box", "default", "s1"), ServiceRef("box", "other", "s11")}
    found = listing(person, box(), asked, order, now=NOW, waiting=waiting, only_concerns=only_concerns)
    seen = [row for row in read.services("box") if person.allows(Permission.VIEW, row.ref, row.labels)]
    passing = [row for row in seen if asked.passes(row)]
    concerns = {row.ref: reason for row in passing if (reason := reason_of(row, NOW, waiting))}
    key = SORTS[order.removeprefix("-")]
    shown = [row for row in passing if row.ref in concerns or not only_concerns]
    assert sorted(found.rows, key=lambda row: row.ref) == sorted(shown, key=lambda row: row.ref)
    keys = [key(row) for row in found.rows]
    assert keys == sorted(keys, reverse=order.startswith("-"))
    assert found.total == len(seen)
    assert found.namespaces == sorted({row.namespace for row in seen})
    assert {row.ref: reason for row, reason in found.concerns} == concerns


def test_whatever_changes_the_order_is_the_one_that_would_be_made_now(mirror: MirrorWriter) -> None:
    random = Random(13)
    for _ in range(40):
        for _ in range(random.choice([0, 1, 3, 30])):
            name, namespace = f"s{random.randint(1, 20)}", random.choice(["default", "other"])
            write = mirror.drop if random.random() < 0.3 else mirror.put
            write(SERVICES, service(random, name, namespace))
        order = random.choice(["", "-"]) + random.choice(list(SORTS))
        check(random.choice(PEOPLE), random.choice(FILTERS), order, only_concerns=random.random() < 0.3)


def test_a_copy_that_redis_lost_is_made_again(mirror: MirrorWriter) -> None:
    from console.redis_client import client

    check(PEOPLE[0], Filter(), "name", only_concerns=False)
    client().flushall()
    assert not listing(PEOPLE[0], box(), Filter(), "name", now=NOW, waiting=()).rows


def test_what_changes_is_looked_at_and_nothing_else(mirror: MirrorWriter) -> None:
    mirror.replace_all(SERVICES, [factories.service(f"s{number}") for number in range(100)])
    person = rights("default")
    listing(person, box(), Filter("s"), "name", now=NOW, waiting=())
    with counted(Filter.passes, Rights.allows, Order._place) as calls:
        listing(person, box(), Filter("s"), "name", now=NOW, waiting=())
    assert not calls
    mirror.put(SERVICES, factories.service("s7", changes=1) | {"status": {}})
    with counted(Filter.passes, Rights.allows) as calls:
        listing(person, box(), Filter("s"), "name", now=NOW, waiting=())
    assert calls["Rights.allows"] == 1
    assert calls["Filter.passes"] <= 3


def test_people_with_the_same_rights_share_a_list_and_others_do_not(mirror: MirrorWriter) -> None:
    assert rights("default").sight == rights("default").sight
    for other in (
        rights("def*"),
        rights("default", app="shop"),
        Rights(User(), ()),
        Rights(User(is_superuser=True), ()),
    ):
        assert rights("default").sight != other.sight
    hidden = Right(frozenset({Permission.DEPLOY}), "*", "*", {}, "blind", "team")
    assert Rights(User(), [hidden]).sight == Rights(User(), ()).sight


@pytest.mark.parametrize("scope", [TokenScope(SEE, "box", "other"), TokenScope(frozenset(), "*", "*")])
def test_a_token_sees_its_scope_and_not_what_its_person_sees(mirror: MirrorWriter, scope: TokenScope) -> None:
    mirror.put(SERVICES, factories.service("elsewhere", "other"))
    person = rights()
    token = NarrowedRights(User(), person, scope)
    for one in (person, token, Rights(User(), ()), person):
        found = listing(one, box(), Filter(), "name", now=NOW, waiting=())
        seen = [row for row in read.services("box") if one.allows(SEE_ONE, row.ref, row.labels)]
        assert list(found.rows) == sorted(seen, key=SORTS["name"]), "Redis gives a hash in any order"


SEE_ONE = Permission.VIEW


def test_what_is_kept_is_bounded(mirror: MirrorWriter) -> None:
    for number in range(visible.MAX_ORDERS + 10):
        listing(rights(f"ns{number % 20}"), box(), Filter(f"s{number}"), "name", now=NOW, waiting=())
    assert len(visible._orders) == visible.MAX_ORDERS
    assert len(visible._visible) == visible.MAX_VISIBLE
