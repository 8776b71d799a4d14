"""The cluster's own access rules (RBAC): judged for the person where the console impersonates, else for the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.cluster.connections import ClusterSettings, connect
from console.cluster.errors import Forbidden
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for, identity_of, identity_on
from console.operations.lookups import cluster_rights, logs
from console.operations.lookups.logs import Wanted
from console.operations.submitting.previewing import preview
from console.redis_client import client
from tests.cluster.scripted_server import HANG, answer, scripted
from tests.operations.factories import World
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db
RBAC = "/apis/rbac.authorization.k8s.io/v1"
HELLO = ServiceRef("box", "default", "hello")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """A sandbox in which the console's account `console` may impersonate, read everything and change nothing.

    The group `sluice:shop` may change services in default.
    """
    with sandbox(speed=100, users={"console": []}) as running:
        World(running).create("hello")
        World(running).create("other")
        allow(running, "impersonator", ["users", "groups"], ["impersonate"], [user("console")], api="")
        allow(running, "reader", ["services", "revisions"], ["get", "list"], [user("console")])
        shop = [group("sluice:shop")]
        allow(running, "changer", ["services"], ["get", "update"], shop, namespace="default")
        allow(running, "only-other", ["services"], ["delete"], shop, namespace="default", names=["other"])
        yield running


def user(name: str) -> dict[str, str]:
    return {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def group(name: str) -> dict[str, str]:
    return {"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def allow(
    box: Sandbox,
    name: str,
    resources: list[str],
    verbs: list[str],
    subjects: list[dict[str, str]],
    *,
    api: str = "serving.knative.dev",
    namespace: str = "",
    names: list[str] | None = None,
) -> None:
    """Make a cluster role, and bind it everywhere or in one namespace."""
    rule: dict[str, Any] = {"apiGroups": [api], "resources": resources, "verbs": verbs}
    rule |= {"resourceNames": names} if names else {}
    box.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
    ref = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    path = f"{RBAC}/namespaces/{namespace}/rolebindings" if namespace else f"{RBAC}/clusterrolebindings"
    box.post(path, {"metadata": {"name": name}, "roleRef": ref, "subjects": subjects})


@pytest.fixture
def impersonating(box: Sandbox, settings, redis_server) -> None:
    cluster = {"name": "box", "url": box.url, "token": box.tokens["console"], "impersonate": True}
    settings.CLUSTERS = json.dumps([cluster])


def person(name: str, *teams: str, expires_at: Any = None) -> User:
    """Somebody who may do everything as far as the console is concerned."""
    made = User.objects.create_user(name)
    for each in teams:
        team = Team.objects.get_or_create(name=each)[0]
        Grant.objects.create(team=team, role=Role.objects.get(name="owner"))
        Membership.objects.create(user=made, team=team, expires_at=expires_at)
    return made


CHANGE = SetEnv("app", (EnvEntry("TARGET", "Changed"),))


def test_a_person_is_seen_as_themselves_with_their_teams_as_groups(settings) -> None:
    identity = identity_of(person("mary", "shop", "payments"))
    assert (identity.user, set(identity.groups)) == ("mary", {"sluice:shop", "sluice:payments"})
    settings.IMPERSONATE_USER_PREFIX, settings.IMPERSONATE_GROUP_PREFIX = "console:", "team/"
    identity = identity_of(User.objects.get(username="mary"))
    assert (identity.user, set(identity.groups)) == ("console:mary", {"team/shop", "team/payments"})


def test_a_membership_that_has_expired_gives_no_group() -> None:
    assert identity_of(person("mary", "shop", expires_at=timezone.now() - timedelta(minutes=1))).groups == ()


def test_the_clusters_rules_decide_by_the_persons_teams(impersonating) -> None:
    allowed = preview(CHANGE, user=person("mary", "shop"), ref=HELLO)
    assert allowed.refusal is None
    with pytest.raises(Forbidden, match='User "peter" cannot get'):
        preview(CHANGE, user=person("peter", "others"), ref=HELLO)


def test_a_log_that_one_person_follows_is_not_shown_to_who_may_not_read_it_there(impersonating, box: Sandbox) -> None:
    allow(box, "log-revisions", ["revisions"], ["get"], [group("sluice:shop")], namespace="default")
    allow(box, "log-pods", ["pods", "pods/log"], ["get", "list"], [group("sluice:shop")], api="", namespace="default")
    mary, peter = person("mary", "shop"), person("peter", "others")
    assert logs.followed(HELLO, "hello-00001", user=mary, wanted=Wanted()).pods
    with pytest.raises(Forbidden, match='User "peter" cannot get'):
        logs.followed(HELLO, "hello-00001", user=peter, wanted=Wanted())


def test_without_impersonation_the_consoles_account_decides(impersonating, box: Sandbox, settings) -> None:
    cluster = {"name": "box", "url": box.url, "token": box.tokens["console"], "impersonate": False}
    settings.CLUSTERS, settings.IMPERSONATE = json.dumps([cluster]), True
    refusal = preview(CHANGE, user=person("mary", "shop"), ref=HELLO).refusal
    assert isinstance(refusal, Forbidden)
    assert 'User "console" cannot update' in refusal.raw


@pytest.mark.parametrize(
    "name", ["system:admin", "system:serviceaccount:kube-system:default", "mary ", " mary", "a\x7fb"]
)
def test_a_name_that_would_widen_rights_is_never_sent(impersonating, name: str) -> None:
    with pytest.raises(Forbidden, match="may not be impersonated"):
        gateway_for("box", User(username=name, pk=10**9))


def test_a_team_cannot_become_a_group_of_the_system(impersonating, settings) -> None:
    settings.IMPERSONATE_GROUP_PREFIX = ""
    with pytest.raises(Forbidden, match="may not be impersonated"):
        gateway_for("box", person("mary", "system:masters"))


@pytest.mark.parametrize("name", ["USER", "GROUP"])
def test_a_prefix_of_the_system_is_refused_at_the_start(monkeypatch, name: str) -> None:
    import importlib

    import console.settings

    monkeypatch.setenv(f"CONSOLE_IMPERSONATE_{name}_PREFIX", "system:")
    with pytest.raises(ImproperlyConfigured, match="system:"):
        importlib.reload(console.settings)


def test_headers_of_the_request_never_reach_the_cluster(client, settings, redis_server, mirror, people) -> None:
    """A person who sends Impersonate-User to the console stays who they are."""
    with scripted(answer({"status": {"allowed": True}})) as server:
        cluster = {"name": "box", "url": server.url, "token": "t", "impersonate": True}
        settings.CLUSTERS = json.dumps([cluster])
        client.force_login(people["owner"])
        headers = {"Impersonate-User": "root", "Impersonate-Group": "system:masters", "Authorization": "Bearer mine"}
        client.get("/services/box/default/shop/", headers=headers)
    assert server.requests
    for request in server.requests:
        assert request.header("Impersonate-User") == ["owner"]
        assert request.header("Impersonate-Group") == ["sluice:owners"]
        assert request.header("Authorization") == ["Bearer t"]


def refused(name: str, who: User) -> dict[Permission, str]:
    return cluster_rights.refused(ServiceRef("box", "default", name), who)


def test_what_the_cluster_would_refuse_is_known_before(impersonating) -> None:
    mary, peter = person("mary", "shop"), person("peter", "others")
    update, delete = "update services", "delete services"
    everything = {Permission.DEPLOY: update, Permission.TRAFFIC: update, Permission.OPERATE: update}
    assert refused("hello", mary) == {Permission.DELETE: delete}
    assert refused("hello", peter) == {**everything, Permission.DELETE: delete}
    assert refused("other", mary) == {}, "a rule that names the service counts"


def test_the_answer_is_kept_for_a_minute_for_each_identity(settings, redis_server) -> None:
    with scripted(answer({"status": {"allowed": False}})) as server:
        settings.CLUSTERS = json.dumps([{"name": "box", "url": server.url, "token": "t", "impersonate": True}])
        mary, peter = person("mary", "shop"), person("peter", "shop")
        assert refused("hello", mary) == refused("hello", mary)
        assert [request.header("Impersonate-User") for request in server.requests] == [["mary"]] * 2
        assert refused("hello", peter)
        assert [request.header("Impersonate-User") for request in server.requests[2:]] == [["peter"]] * 2
    kept = list(client().scan_iter("sluice:cluster-rights:*"))
    assert all(0 < client().ttl(key) <= cluster_rights.CACHE_TTL for key in kept)
    assert len(kept) == 2
    assert not any("mary" in key for key in kept)


def test_a_cluster_that_is_away_costs_one_page_a_moment_and_the_next_ones_nothing(settings, redis_server, monkeypatch):
    monkeypatch.setattr(cluster_rights, "TIMEOUT", 0.2)
    with scripted([HANG]) as server:
        settings.CLUSTERS = json.dumps([{"name": "box", "url": server.url, "token": "t"}])
        mary = person("mary", "shop")
        assert [refused("hello", mary) for _ in range(5)] == [{}] * 5
        assert len(server.requests) == 1


def test_an_account_that_may_not_impersonate_is_refused_everything(settings, redis_server, box: Sandbox) -> None:
    """Not even the question can be asked as the person."""
    settings.CLUSTERS = json.dumps([{"name": "box", "url": box.url, "token": box.tokens["admin"], "impersonate": True}])
    assert refused("hello", person("peter", "others"))
    with scripted(answer({"message": "cannot impersonate", "reason": "Forbidden"}, code=403)) as server:
        settings.CLUSTERS = json.dumps([{"name": "box", "url": server.url, "token": "t", "impersonate": True}])
        assert set(refused("third", person("mary", "shop"))) >= {Permission.DEPLOY, Permission.DELETE}


def test_the_console_itself_is_never_impersonated() -> None:
    connection = connect(ClusterSettings("box", url="http://127.0.0.1:9", impersonate=True))
    assert identity_on(connection, None) is None
