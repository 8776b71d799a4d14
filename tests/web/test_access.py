"""Every address against every role, from one table. A new address that is not in the table fails the test."""

from __future__ import annotations

import uuid

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from console.access.models import Role
from console.access.permissions import Permission
from console.audit.models import Entry
from console.operations.models import AccessTest, Operation
from console.operations.sealing import seal
from tests import factories

HERE = {"cluster": "box", "namespace": "default", "name": "shop"}
THING = uuid.UUID("00000000-0000-4000-8000-000000000001")
# name -> (permission or mark, further URL arguments, method). The one table.
TABLE = {
    "services": ("signed-in", {}, "get"),
    "bulk": ("signed-in", {}, "get"),
    "bulk-submit": ("signed-in", {}, "post"),
    "create": (Permission.DEPLOY, {}, "get"),
    "service": (Permission.VIEW, HERE, "get"),
    "revisions": (Permission.VIEW, HERE, "get"),
    "revision": (Permission.VIEW, {**HERE, "revision": "shop-00004"}, "get"),
    "delete-revision": (Permission.DELETE, {**HERE, "revision": "shop-00001"}, "get"),
    "env": (Permission.DEPLOY, HERE, "get"),
    "reveal": (Permission.REVEAL, HERE, "get"),
    "image": (Permission.DEPLOY, HERE, "get"),
    "traffic": (Permission.TRAFFIC, HERE, "get"),
    "settings": (Permission.DEPLOY, HERE, "get"),
    "yaml": (Permission.VIEW, HERE, "get"),
    "delete": (Permission.DELETE, HERE, "get"),
    "access-test": (Permission.VIEW, HERE, "get"),
    "access-test-result": (Permission.VIEW, {**HERE, "id": THING}, "get"),
    "submit": ("signed-in", {"id": THING}, "post"),
    "operations": ("signed-in", {}, "get"),
    "activity": ("signed-in", {}, "get"),
    "operation": ("signed-in", {"id": THING}, "get"),
    "cancel": ("signed-in", {"id": THING}, "post"),
    "retry": ("signed-in", {"id": THING}, "post"),
    "audit": (Permission.AUDIT, {}, "get"),
    "audit-entry": (Permission.AUDIT, {"sequence": 1}, "get"),
    "audit-export": (Permission.AUDIT, {"form": "csv"}, "get"),
    "stream": ("signed-in", {}, "get"),
    "first-admin": ("public", {"token": "x"}, "get"),
    "preferences": ("public", {}, "post"),
    "live": ("public", {}, "get"),
    "ready": ("public", {}, "get"),
}
SERVICE_PAGES = [name for name, (_, arguments, _) in TABLE.items() if "namespace" in arguments]


def patterns(resolver: URLResolver | None = None) -> list[URLPattern]:
    """Every address of the console's own (allauth's have tests of their own, and need no grant)."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.urlconf_name != "allauth.urls" and "allauth" not in str(entry.urlconf_module):
                found += patterns(entry)
        else:
            found.append(entry)
    return found


def test_every_address_stands_in_the_table_with_the_permission_that_its_view_checks() -> None:
    named = {pattern.name: getattr(pattern.callback, "required_permission", None) for pattern in patterns()}
    assert named == {name: permission for name, (permission, _, _) in TABLE.items()}


@pytest.fixture
def things(mirror, people):
    """An operation and an access test of shop, and an audit entry."""
    from console import audit
    from console.access.actors import Actor

    common = {"cluster": "box", "namespace": "default", "name": "shop", "id": THING}
    change = {"kind": "SplitTraffic", "targets": []}
    Operation.objects.create(
        **common, kind="SplitTraffic", sealed_change=seal(change), sealed_seen=seal(factories.service()), actor="owner",
        status="failed", finished_at="2026-11-24T10:00:00Z",
    )  # fmt: skip
    AccessTest.objects.create(**common, url="http://shop.default.example.com", count=1)
    audit.record("test", actor=Actor(None, "test"), outcome=audit.Outcome.SUCCEEDED)
    return people


def ask(client, name: str):
    _, arguments, method = TABLE[name]
    return getattr(client, method)(reverse(name, kwargs=arguments))


def expected(name: str, who: str) -> int:
    """The status that the table means for the person."""
    permission, arguments, _ = TABLE[name]
    on_service = "namespace" in arguments
    if who == "administrator":
        return 200
    if who == "nobody" or (who == "stranger" and on_service):
        return 404 if on_service else 403 if isinstance(permission, Permission) else 200
    role = "owner" if who == "stranger" else who
    allowed = permission in Role.objects.get(name=role).permissions
    return 200 if allowed else 403


@pytest.mark.parametrize("name", [n for n, (p, _, _) in TABLE.items() if isinstance(p, Permission)])
def test_every_role_gets_what_the_table_says(client, things, name: str) -> None:
    tries = 0
    for who, person in things.items():
        client.force_login(person)
        status = ask(client, name).status_code
        wanted = expected(name, who)
        assert status == wanted or (wanted == 200 and status in (302, 405)), f"{who} on {name}: {status}, not {wanted}"
        tries += 1
    assert tries == 9


@pytest.mark.parametrize("name", TABLE)
def test_nobody_gets_anywhere_without_signing_in(client, things, name: str) -> None:
    response = ask(client, name)
    if TABLE[name][0] == "public":
        assert response.status_code in (200, 302, 404)
    else:
        assert response.status_code == 302
        assert response.url.startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["operation", "cancel", "retry", "submit"])
def test_ids_of_another_teams_objects_answer_as_ids_that_do_not_exist(client, things, name: str) -> None:
    client.force_login(things["stranger"])
    real = ask(client, name)
    method = TABLE[name][2]
    missing = getattr(client, method)(reverse(name, kwargs={"id": uuid.uuid4()}))
    assert real.status_code == missing.status_code
    if real.status_code == 404:
        assert strip(real) == strip(missing)


@pytest.mark.parametrize("name", SERVICE_PAGES)
def test_a_service_of_another_team_answers_as_one_that_does_not_exist(client, things, name: str) -> None:
    client.force_login(things["stranger"])
    _, arguments, method = TABLE[name]
    real = getattr(client, method)(reverse(name, kwargs=arguments))
    missing = getattr(client, method)(reverse(name, kwargs={**arguments, "name": "nope"}))
    assert (real.status_code, strip(real)) == (404, strip(missing))


def strip(response) -> str:
    """The page without what differs for every request."""
    import re

    text = response.content.decode()
    return re.sub(
        r'nonce="[^"]*"|value="[^"]{64}"|next" value="[^"]*"|<span title="[^"]*">[0-9a-f]{8}</span>|[0-9a-f]{8}',
        "",
        text,
    )


def test_a_refused_attempt_leaves_an_audit_entry(client, things) -> None:
    client.force_login(things["viewer"])
    client.post(reverse("traffic", kwargs=HERE), {"percent-0": "100"})
    entry = Entry.objects.first()
    assert (entry.action, entry.outcome, entry.actor, entry.service) == ("traffic.refused", "refused", "viewer", "shop")


@pytest.mark.parametrize("name", [n for n, (_, _, method) in TABLE.items() if method == "post"])
def test_no_post_without_a_csrf_token(things, name: str) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(things["administrator"])
    assert ask(strict, name).status_code == 403
