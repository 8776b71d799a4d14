"""Every address against every role, from one table. A new address that is not in the table fails the test."""

from __future__ import annotations

import itertools
import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from console import audit
from console.access import tokens
from console.access.actors import Actor
from console.access.attempts import fold_key
from console.access.models import ApiToken, Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.audit.models import Entry
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.queue import FORMER_NAMES, TaskName
from console.registry.models import Cluster
from console.request_tests.models import AccessTest
from console.sealing import seal
from tests import factories
from tests.sweeps import sample, sweep

HERE = {"cluster": "box", "namespace": "default", "name": "shop"}
THING = uuid.UUID("00000000-0000-4000-8000-000000000001")
ROW = 9001  # the id of a person, a role, a team and its grant in box/secret, where none of `people` has a right
TEAM = {"id": ROW}
# name -> (permission or mark, further URL arguments, method). The one table.
TABLE = {
    "services": ("signed-in", {}, "get"),
    "all-revisions": ("signed-in", {}, "get"),
    "find": ("signed-in", {}, "get"),
    "views": ("signed-in", {}, "post"),
    "view-remove": ("signed-in", {"id": 1}, "post"),
    "bulk": ("signed-in", {}, "get"),
    "bulk-submit": ("signed-in", {}, "post"),
    "create": (Permission.DEPLOY, {}, "get"),
    "service": (Permission.VIEW, HERE, "get"),
    "revisions": (Permission.VIEW, HERE, "get"),
    "history": (Permission.VIEW, HERE, "get"),
    "revision": (Permission.VIEW, {**HERE, "revision": "shop-00004"}, "get"),
    "delete-revision": (Permission.DELETE, {**HERE, "revision": "shop-00001"}, "get"),
    "logs": (Permission.VIEW, {**HERE, "revision": "shop-00004"}, "get"),
    "serve": (Permission.TRAFFIC, {**HERE, "revision": "shop-00004"}, "get"),
    "clone": (Permission.REVEAL, HERE, "get"),
    "operate": (Permission.OPERATE, HERE, "get"),
    "deploy": (Permission.DEPLOY, HERE, "get"),
    "deploy-reveal": (Permission.REVEAL, HERE, "get"),
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
    "meanwhile": ("signed-in", {"id": THING}, "get"),
    "operations": ("signed-in", {}, "get"),
    "activity": ("signed-in", {}, "get"),
    "operation": ("signed-in", {"id": THING}, "get"),
    "cancel": ("signed-in", {"id": THING}, "post"),
    "retry": ("signed-in", {"id": THING}, "post"),
    "approve": ("signed-in", {"id": THING}, "post"),
    "decline": ("signed-in", {"id": THING}, "post"),
    "withdraw": ("signed-in", {"id": THING}, "post"),
    "approvals": ("signed-in", {}, "get"),
    "waiting": ("signed-in", {}, "get"),
    "protection": (Permission.MANAGE, {}, "get"),
    "protection-add": (Permission.MANAGE, {"kind": "rule"}, "get"),
    "protection-edit": (Permission.MANAGE, {"kind": "rule", "id": 1}, "get"),
    "protection-remove": (Permission.MANAGE, {"kind": "rule", "id": 1}, "get"),
    "rollback": ("signed-in", {"id": THING}, "post"),
    "audit": (Permission.AUDIT, {}, "get"),
    "audit-person": (Permission.AUDIT, {}, "get"),
    "audit-retention": (Permission.AUDIT, {}, "get"),
    "audit-retention-change": ("administrator", {}, "post"),
    "audit-hold-add": ("administrator", {}, "post"),
    "audit-hold-lift": ("administrator", {"id": 1}, "post"),
    "audit-redact": ("administrator", {"sequence": 1}, "get"),
    "audit-entry": (Permission.AUDIT, {"sequence": 1}, "get"),
    "teams": ("signed-in", {}, "get"),
    "team-create": (Permission.MANAGE, {}, "get"),
    "team": ("signed-in", TEAM, "get"),
    "team-edit": ("signed-in", TEAM, "get"),
    "team-delete": ("signed-in", TEAM, "get"),
    "member-add": ("signed-in", TEAM, "post"),
    "member": ("signed-in", {**TEAM, "member": ROW}, "get"),
    "member-remove": ("signed-in", {**TEAM, "member": ROW}, "post"),
    "grant-add": ("signed-in", TEAM, "post"),
    "grant-remove": ("signed-in", {**TEAM, "grant": ROW}, "post"),
    "roles": ("signed-in", {}, "get"),
    "role-create": (Permission.MANAGE, {}, "get"),
    "role": (Permission.MANAGE, {"id": ROW}, "get"),
    "role-delete": (Permission.MANAGE, {"id": ROW}, "post"),
    "people": ("administrator", {}, "get"),
    "person-create": ("administrator", {}, "get"),
    "person": ("administrator", {"id": ROW}, "get"),
    "person-change": ("administrator", {"id": ROW, "verb": "promote"}, "post"),
    "person-link": ("administrator", {"id": ROW}, "post"),
    "why": ("signed-in", {}, "get"),
    "invitation": ("public", {"token": "x"}, "get"),
    "clusters": ("administrator", {}, "get"),
    "cluster-add": ("administrator", {}, "get"),
    "cluster": ("administrator", {"name": "edge"}, "get"),
    "cluster-test": ("administrator", {"name": "edge"}, "post"),
    "cluster-edit": ("administrator", {"name": "edge"}, "get"),
    "cluster-remove": ("administrator", {"name": "edge"}, "get"),
    "audit-summary": (Permission.AUDIT, {}, "get"),
    "audit-bypasses": (Permission.AUDIT, {}, "get"),
    "audit-bypasses-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-service": (Permission.AUDIT, {}, "get"),
    "audit-service-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-decisions": (Permission.AUDIT, {}, "get"),
    "audit-decisions-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-decision": (Permission.AUDIT, {"sequence": 2}, "get"),
    "audit-decision-reveal": (Permission.AUDIT, {"sequence": 2}, "post"),
    "audit-filters": (Permission.AUDIT, {}, "post"),
    "audit-filter-remove": (Permission.AUDIT, {"id": 1}, "post"),
    "audit-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-export-progress": (Permission.AUDIT, {"id": THING}, "get"),
    "audit-export-file": (Permission.AUDIT, {"id": THING}, "get"),
    "audit-access": (Permission.AUDIT, {}, "get"),
    "audit-access-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-access-review": (Permission.AUDIT, {}, "post"),
    "audit-duties": (Permission.AUDIT, {}, "get"),
    "audit-duties-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-rights": (Permission.AUDIT, {}, "get"),
    "audit-rights-export": (Permission.AUDIT, {"form": "csv"}, "post"),
    "audit-proof": (Permission.AUDIT, {}, "get"),
    "audit-checkpoint": (Permission.AUDIT, {}, "post"),
    "audit-verifier": (Permission.AUDIT, {}, "get"),
    "stream": ("signed-in", {}, "get"),
    "tokens": ("signed-in", {}, "get"),
    "create-token": ("signed-in", {}, "get"),
    "revoke-token": ("signed-in", {"id": THING}, "post"),
    "api": ("signed-in", {}, "get"),
    "api-whoami": ("token", {}, "get"),
    "api-clusters": (Permission.VIEW, {}, "get"),
    "api-services": (Permission.VIEW, {}, "get"),
    "api-all-revisions": (Permission.VIEW, {}, "get"),
    "api-service": (Permission.VIEW, HERE, "get"),
    "api-revisions": (Permission.VIEW, HERE, "get"),
    "api-revision": (Permission.VIEW, {**HERE, "revision": "shop-00004"}, "get"),
    "api-operations": (Permission.VIEW, {}, "get"),
    "api-operation": (Permission.VIEW, {"id": THING}, "get"),
    "api-audit": (Permission.AUDIT, {}, "get"),
    "api-audit-entry": (Permission.AUDIT, {"sequence": 1}, "get"),
    "api-rules": (Permission.AUDIT, {}, "get"),
    "api-freezes": (Permission.AUDIT, {}, "get"),
    "api-people": (Permission.AUDIT, {}, "get"),
    "api-grants": (Permission.AUDIT, {}, "get"),
    "api-roles": (Permission.VIEW, {}, "get"),
    "openapi": ("public", {}, "get"),
    "metrics": ("public", {}, "get"),
    "closed": ("public", {"page": "signup"}, "get"),
    "first-admin": ("public", {"token": "x"}, "get"),
    "preferences": ("public", {}, "post"),
    "tour-close": ("signed-in", {}, "post"),
    "live": ("public", {}, "get"),
    "ready": ("public", {}, "get"),
}
OF_ENTRIES = ("audit-entry", "api-audit-entry", "audit-decision", "audit-decision-reveal")
SCOPED = ("protection-edit", "protection-remove")  # the rule is in default, where strangers have no say
# Somebody else's exports and filters are not there for administrators either; a filter without a name is refused.
ADMINISTRATOR = {
    "audit-filters": 422,
    "audit-access-review": 422,
    "audit-filter-remove": 404,
    "audit-export-progress": 404,
    "audit-export-file": 404,
}
SERVICE_PAGES = [name for name, (_, arguments, _) in TABLE.items() if "namespace" in arguments]
CALLS = [name for name in TABLE if name.startswith("api-")]  # with a token, never with a session
TEAM_PAGES = [name for name in TABLE if name.startswith(("team", "member", "grant")) and TABLE[name][1]]


# What each task is guarded by: they take no more than an id, and ask again what its person may do.
TASKS = {
    TaskName.PERFORM: "the author's and the approver's rights at the write: tests/operations",
    TaskName.SEND_REQUESTS: "view, of the person who sent them: tests/request_tests/test_sending.py",
    TaskName.EXPORT_ENTRIES: "audit, again for each part: tests/access/test_audit_exports.py",
    TaskName.SWEEP: "takes nothing",
    TaskName.SWEEP_EXPORTS: "takes nothing",
    TaskName.SWEEP_REQUEST_TESTS: "takes nothing",
    TaskName.EXAMINE_CLUSTERS: "takes nothing",
    TaskName.DETECT_EXTERNAL: "takes nothing",
    TaskName.TIDY: "takes nothing",
    TaskName.FORWARD_ENTRIES: "takes nothing",
    TaskName.CHECK_RIGHTS: "takes nothing",
}


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


def test_every_address_is_in_the_table_with_the_permission_that_its_view_checks() -> None:
    named = {pattern.name: getattr(pattern.callback, "required_permission", None) for pattern in patterns()}
    assert named == {name: permission for name, (permission, _, _) in TABLE.items()}


def test_every_task_is_in_the_table() -> None:
    from console.celery import app

    app.loader.import_default_modules()
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert ours - set(FORMER_NAMES.values()) == {name.value for name in TASKS}


@pytest.fixture(autouse=True)
def no_wrong_tokens_yet() -> None:
    cache.clear()


@pytest.fixture
def things(mirror, people):
    make_things(people)
    return people


def make_things(people) -> None:
    """An operation and an access test of shop, an audit entry, a token of the administrator, and a team of others."""
    common = {"cluster": "box", "namespace": "default", "name": "shop", "id": THING}
    change = {"kind": "SplitTraffic", "targets": []}
    Operation.objects.create(
        **common, kind="SplitTraffic", sealed_change=seal(change), sealed_seen=seal(factories.service()), actor="owner",
        status="failed", finished_at="2026-11-24T10:00:00Z",
    )  # fmt: skip
    ProtectionRule.objects.create(id=1, cluster="box", namespace="default", permissions=["deploy"])
    AccessTest.objects.create(**common, url="http://shop.default.example.com", count=1)
    role = Role.objects.create(pk=ROW, name="secret-role", permissions=["view"])
    team = Team.objects.create(pk=ROW, name="Secret team")
    Grant.objects.create(pk=ROW, team=team, role=role, cluster="box", namespace="secret")
    Membership.objects.create(team=team, user=User.objects.create_user("secret-person", pk=ROW), is_owner=True)
    Cluster.objects.create(name="edge", url="https://127.0.0.1:9", sealed_credential=seal({"token": "t"}), added_by="x")
    audit.record("test", actor=Actor(None, "test"), ref=ServiceRef(*HERE.values()), outcome=audit.Outcome.SUCCEEDED)
    audit.record(  # its operation is gone
        "protect.approve",
        actor=Actor(None, "test"),
        ref=ServiceRef(*HERE.values()),
        outcome=audit.Outcome.SUCCEEDED,
        operation=uuid.UUID(int=1),
    )
    ApiToken.objects.filter(id=token_for(people["administrator"])[0].id).update(id=THING)


def ask(client, name: str):
    _, arguments, method = TABLE[name]
    return getattr(client, method)(reverse(name, kwargs=arguments))


def enter(client, name: str, person, **scope) -> None:
    """Come as the person: with a session to a page, with a token to a call of the API."""
    if name not in CALLS:
        client.force_login(person)
        return
    client.logout()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token_for(person, **scope)[1]}"


def token_for(person, permissions=("view", "audit"), cluster="*", namespace="*"):
    """A token and its text, also of permissions that the person does not have: use must refuse them."""
    text = tokens.new_text()
    token = ApiToken.objects.create(
        user=person, name="board", prefix=text[:12], digest=tokens.digest(text), permissions=list(permissions),
        cluster=cluster, namespace=namespace, expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    return token, text


def expected(name: str, who: str) -> int:
    """The status that the table means for the person."""
    permission, arguments, _ = TABLE[name]
    on_service = "namespace" in arguments
    if name == "api-operation" and who == "stranger":
        return 404
    if who == "administrator":
        return ADMINISTRATOR.get(name, 200)
    if who == "nobody" or (who == "stranger" and on_service):
        return 404 if on_service else 403 if isinstance(permission, Permission) else 200
    if who == "stranger" and name in SCOPED:
        return 404
    role = "owner" if who == "stranger" else who
    allowed = permission in Role.objects.get(name=role).permissions
    if allowed and who == "stranger" and name in OF_ENTRIES:
        return 404  # an entry about another team's namespace
    return ADMINISTRATOR.get(name, 200) if allowed else 403


@sweep
@pytest.mark.parametrize("name", sample((n for n, (p, _, _) in TABLE.items() if isinstance(p, Permission)), one_in=5))
def test_every_role_gets_what_the_table_says(client, things, name: str) -> None:
    tries = 0
    for who, person in things.items():
        enter(client, name, person)
        status = ask(client, name).status_code
        wanted = expected(name, who)
        assert status == wanted or (wanted == 200 and status in (302, 405, 422)), (
            f"{who} on {name}: {status}, not {wanted}"
        )
        tries += 1
    assert tries == 9


@sweep
@pytest.mark.parametrize("name", sample((n for n, (mark, _, _) in TABLE.items() if mark == "administrator"), one_in=3))
def test_what_is_for_administrators_is_refused_to_every_role_and_told(client, things, name: str) -> None:
    for who, person in things.items():
        if who != "administrator":
            client.force_login(person)
            assert ask(client, name).status_code == 403
            entry = Entry.objects.first()
            assert (entry.action, entry.outcome, entry.actor) == ("manage.refused", "refused", who)
    client.force_login(things["administrator"])
    assert ask(client, name).status_code in (200, 302, 422)  # 422: let in, and told what an empty form lacks


@sweep
@pytest.mark.parametrize("name", sample(TEAM_PAGES, one_in=4))
@pytest.mark.parametrize("who", ["owner", "stranger", "viewer", "nobody"])
def test_a_team_that_one_may_not_see_answers_as_one_that_does_not_exist(client, things, name: str, who: str) -> None:
    """Also to who manages elsewhere; and for one that one may see, a member or grant of another is not there."""
    client.force_login(things[who])
    _, arguments, method = TABLE[name]
    real = ask(client, name)
    missing = getattr(client, method)(reverse(name, kwargs={**arguments, "id": 1_000_000}))
    assert (real.status_code, strip(real)) == (404, strip(missing))
    assert "ecret" not in real.content.decode()
    own = Team.objects.filter(members=things[who]).first()
    if own and len(arguments) > 1:
        assert getattr(client, method)(reverse(name, kwargs={**arguments, "id": own.pk})).status_code == 404


def test_the_tables_of_teams_name_no_team_that_one_may_not_see(client, things) -> None:
    client.force_login(things["owner"])
    for path in ("/teams/", "/teams/?q=secret", "/teams/?q=Secret", "/teams/why/"):
        assert "Secret team" not in client.get(path).content.decode()
    client.force_login(things["administrator"])
    assert "Secret team" in client.get("/teams/").content.decode()


def test_nobody_gets_anywhere_without_signing_in(client, things) -> None:
    for name in TABLE:
        response = ask(client, name)
        if name in CALLS:
            assert response.status_code == 401, name
        elif TABLE[name][0] == "public":
            assert response.status_code in (200, 302, 404), name
        else:
            assert response.status_code == 302, name
            assert response.url.startswith("/accounts/login/"), name


@pytest.mark.parametrize(
    "name",
    [
        "operation",
        "cancel",
        "retry",
        "rollback",
        "submit",
        "approve",
        "decline",
        "withdraw",
        "revoke-token",
        "api-operation",
    ],
)
def test_ids_of_another_teams_objects_answer_as_ids_that_do_not_exist(client, things, name: str) -> None:
    enter(client, name, things["stranger"])
    real = ask(client, name)
    method = TABLE[name][2]
    missing = getattr(client, method)(reverse(name, kwargs={"id": uuid.uuid4()}))
    assert real.status_code == missing.status_code
    if real.status_code == 404:
        assert strip(real) == strip(missing)


@pytest.mark.parametrize("name", SERVICE_PAGES)
def test_a_service_of_another_team_answers_as_one_that_does_not_exist(client, things, name: str) -> None:
    enter(client, name, things["stranger"])
    _, arguments, method = TABLE[name]
    real = getattr(client, method)(reverse(name, kwargs=arguments))
    missing = getattr(client, method)(reverse(name, kwargs={**arguments, "name": "nope"}))
    assert (real.status_code, strip(real)) == (404, strip(missing))


@sweep
def test_no_row_lets_anybody_through_by_any_method(client, things, capsys) -> None:
    """Every row as everybody whom the table keeps out, by reading and by sending; prints the figure."""
    tried = sample(itertools.product(TABLE.items(), {"anonymous": None, **things}.items()), one_in=11)
    tries, leaks = 0, []
    for (name, (permission, arguments, _)), (who, person) in tried:
        shut = shut_to(name, permission, who)
        if not shut:
            continue
        client.logout()
        client.defaults.pop("HTTP_AUTHORIZATION", None)
        if person is not None:
            enter(client, name, person)
        for method in ("get", "post"):
            status = getattr(client, method)(reverse(name, kwargs=arguments)).status_code
            tries += 1
            if status not in shut:
                leaks.append(f"{who} by {method} on {name}: {status}")
    with capsys.disabled():
        print(f"\naccess table: {len(TABLE)} addresses, {len(TASKS)} tasks, {tries} tries, leaks {len(leaks)}")
    assert leaks == []


def shut_to(name: str, permission: str, who: str) -> tuple[int, ...]:
    """The answers that keep the person out; none where the table lets them in."""
    if permission == "public":
        return ()
    if who == "anonymous":
        return (401, 405) if name in CALLS else (302,)  # 302: to the sign-in page
    if permission == "administrator":
        return () if who == "administrator" else (403, 405)
    if isinstance(permission, Permission) and expected(name, who) in (403, 404):
        return (403, 404, 405)
    return ()


def strip(response) -> str:
    """The page without what differs for every request."""
    import re

    text = response.content.decode()
    return re.sub(
        r'"request_id":"[^"]*"|nonce="[^"]*"|value="[^"]{64}"|formaction="[^"]*"'
        r'|<span title="[^"]*">[0-9a-f]{8}</span>|&quot;now&quot;: [0-9.]+|[0-9a-f]{8}',
        "",
        text,
    )


@pytest.mark.parametrize("name", ["cluster", "cluster-test", "cluster-edit", "cluster-remove"])
def test_nobody_but_administrators_learns_which_clusters_there_are(client, things, name: str) -> None:
    client.force_login(things["owner"])
    method = TABLE[name][2]
    real = ask(client, name)
    missing = getattr(client, method)(reverse(name, kwargs={"name": "nope"}))
    assert (real.status_code, strip(real)) == (403, strip(missing))
    entry = Entry.objects.first()
    assert (entry.action, entry.outcome, entry.actor) == ("manage.refused", "refused", "owner")


def test_repeats_of_a_refused_attempt_are_counted_and_not_written_one_by_one(client, things) -> None:
    client.force_login(things["viewer"])
    for _ in range(40):
        assert ask(client, "traffic").status_code == 403
    assert ask(client, "delete").status_code == 403
    told = Entry.objects.filter(outcome="refused").order_by("sequence")
    assert [entry.action for entry in told] == ["traffic.refused", "delete.refused"]
    key = fold_key(things["viewer"].pk, Permission.TRAFFIC, f"GET {reverse('traffic', kwargs=HERE)}")
    cache.delete(f"refused:{key}")  # an hour passes
    assert ask(client, "traffic").status_code == 403
    assert Entry.objects.latest("sequence").text.endswith("(and 39 more times since the last such entry)")


def test_a_refused_attempt_leaves_an_audit_entry(client, things) -> None:
    client.force_login(things["viewer"])
    client.post(reverse("traffic", kwargs=HERE), {"percent-0": "100"})
    entry = Entry.objects.first()
    assert (entry.action, entry.outcome, entry.actor, entry.service) == ("traffic.refused", "refused", "viewer", "shop")


@pytest.mark.parametrize("name", CALLS)
def test_a_session_opens_no_call(client, things, name: str) -> None:
    client.force_login(things["administrator"])
    assert ask(client, name).status_code == 401


def test_a_token_opens_no_page(client, things) -> None:
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token_for(things['administrator'])[1]}"
    for name in (n for n in TABLE if n not in CALLS and TABLE[n][0] != "public"):
        response = ask(client, name)
        assert (name, response.status_code, response.url.partition("?")[0]) == (name, 302, "/accounts/login/")


@pytest.mark.parametrize("name", CALLS)
def test_a_token_opens_nothing_from_the_request_after_it_was_revoked(client, things, name: str) -> None:
    token, text = token_for(things["administrator"])
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    assert ask(client, name).status_code == 200
    tokens.revoke(token, actor=Actor(None, "test"))
    refused = ask(client, name)
    assert (refused.status_code, refused.json()["type"]) == (401, "/api/#token-revoked")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "scope",
    [{"permissions": ["reveal", "manage"]}, {"namespace": "other*"}, {"cluster": "bo"}],
)
def test_a_narrowed_token_of_an_administrator_stays_in_its_scope(client, things, name: str, scope) -> None:
    enter(client, name, things["administrator"], **scope)
    response = ask(client, name)
    _, arguments, _ = TABLE[name]
    if name == "api-whoami":
        wanted = 200
    elif "namespace" in arguments:
        wanted = 404
    elif "permissions" in scope:
        wanted = 403
    else:
        wanted = 404 if arguments else 200  # an id of something outside, or a list without it
    assert response.status_code == wanted
    assert "shop" not in response.content.decode()


def test_no_post_without_a_csrf_token(things) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(things["administrator"])
    for name in (n for n, (_, _, method) in TABLE.items() if method == "post"):
        assert ask(strict, name).status_code == 403, name
