"""Who may do what: real RBAC, reviews, impersonation, tokens."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.client import RBAC, REVIEWS, Client, Namespace
from tests.recording import response
from tests.waiting import eventually

Bind = Callable[..., None]


@pytest.fixture
def mine(ns: Namespace, viewer: Client) -> Namespace:
    """The test's namespace as the viewer sees it."""
    return Namespace(viewer, ns.name)


def rule(resources: list[str], verbs: list[str], *names: str, group: str = "serving.knative.dev") -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs} | ({"resourceNames": names} if names else {})


def subject(kind: str, name: str, namespace: str = "") -> dict[str, str]:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def binding(role_kind: str, role_name: str, *subjects: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": f"contract-{uuid.uuid4().hex[:8]}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role_name},
        "subjects": list(subjects),
    }


@pytest.fixture
def cluster_wide(api: Client) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """cluster_wide(plural, object): made now, taken back at the end."""
    made: list[str] = []

    def make(plural: str, obj: dict[str, Any]) -> None:
        assert api.post(f"{RBAC}/{plural}", obj).code == 201
        made.append(f"{RBAC}/{plural}/{obj['metadata']['name']}")

    yield make
    for path in made:
        api.delete(path)


@pytest.fixture
def bind(ns: Namespace) -> Bind:
    """bind(role, subject): a role binding in the test's namespace."""

    def make(role_kind: str, role_name: str, *subjects: dict[str, str]) -> None:
        path = f"{RBAC}/namespaces/{ns.name}/rolebindings"
        assert ns.api.post(path, binding(role_kind, role_name, *subjects)).code == 201

    return make


def may(ns: Namespace, verb: str, resource: str = "services", group: str = "serving.knative.dev") -> bool:
    attributes = {"namespace": ns.name, "verb": verb, "group": group, "resource": resource}
    review = ns.api.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": attributes}})
    assert review.code == 201, review
    return bool(review.body["status"]["allowed"])


def whoami(client: Client) -> dict[str, Any]:
    return client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}).body["status"]["userInfo"]


def test_no_role_is_forbidden_in_the_recorded_words(viewer: Client) -> None:
    code, recorded = response("forbidden")
    answer = viewer.get("/apis/serving.knative.dev/v1/namespaces/default/services")
    assert (answer.code, answer.body) == (code, recorded)


def test_a_wrong_token_is_unauthorized(api: Client) -> None:
    code, recorded = response("unauthorized")
    answer = api.with_token("wrong").get("/apis/serving.knative.dev/v1/namespaces/default/services")
    assert (answer.code, answer.body) == (code, recorded)


def test_no_token(api: Client) -> None:
    answer = api.with_token("").get("/apis/serving.knative.dev/v1/namespaces/default/services")
    assert answer.refusal == (
        403,
        "Forbidden",
        'services.serving.knative.dev is forbidden: User "system:anonymous" cannot list resource "services" '
        'in API group "serving.knative.dev" in the namespace "default"',
    )


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version"])
def test_what_everybody_may_read_without_a_token(api: Client, path: str) -> None:
    assert api.with_token("").get(path).code == 200


def test_discovery_takes_a_token(api: Client) -> None:
    answer = api.with_token("").get("/apis")
    assert answer.refusal == (403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/apis"')


def test_an_anonymous_user_has_no_group_of_those_who_signed_in(api: Client) -> None:
    answer = api.with_token("").post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert answer.code == 403


def test_a_role_allows_what_it_names_and_nothing_else(ns: Namespace, mine: Namespace, bind: Bind) -> None:
    for name in ("hello", "other"):
        assert ns.create(name).code == 201
    rules = [rule(["services"], ["get"], "hello"), rule(["services/status"], ["get"])]
    role = {"metadata": {"name": "reader"}, "rules": rules}
    assert ns.api.post(f"{RBAC}/namespaces/{ns.name}/roles", role).code == 201
    bind("Role", "reader", subject("User", "viewer"))
    eventually(lambda: mine.api.get(mine.path("services", "hello")).code == 200)
    assert mine.api.get(mine.path("services", "other")).code == 403
    assert mine.api.get(mine.path("services")).code == 403
    assert mine.api.get(mine.path("services", "other") + "/status").code == 200
    refused = mine.api.delete(mine.path("services", "hello"))
    assert refused.refusal == (
        403,
        "Forbidden",
        'services.serving.knative.dev "hello" is forbidden: User "viewer" cannot delete resource "services" '
        f'in API group "serving.knative.dev" in the namespace "{ns.name}"',
    )


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "update", "patch", "delete"])
@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_knatives_own_roles(
    ns: Namespace, mine: Namespace, bind: Bind, told: Callable[[str, Any], Any], role: str, verb: str
) -> None:
    name = f"knative-serving-namespaced-{role}"
    bind("ClusterRole", name, subject("User", "viewer"))
    reads, writes = {"get", "list", "watch"}, {"create", "update", "patch", "delete"}
    allowed = {"view": reads, "edit": writes, "admin": reads | writes}[role]
    if verb in allowed:
        eventually(lambda: may(mine, verb))
    else:
        eventually(lambda: may(mine, min(allowed)))
        assert not may(mine, verb)


def test_view_shows_pods_and_logs_but_no_secrets(ns: Namespace, mine: Namespace, bind: Bind) -> None:
    bind("ClusterRole", "view", subject("User", "viewer"))
    eventually(lambda: mine.api.get(mine.path("pods")).code == 200)
    assert mine.api.get(mine.path("pods", "none") + "/log").code == 404
    assert mine.api.get(mine.path("secrets")).code == 403
    assert mine.api.get(mine.path("services")).code == 200


def test_a_group_is_a_subject_too(ns: Namespace, bind: Bind) -> None:
    bind("ClusterRole", "view", subject("Group", "shop"))
    mary = Namespace(ns.api.as_("mary", "shop"), ns.name)
    eventually(lambda: mary.api.get(mary.path("services")).code == 200)
    assert ns.api.as_("mary", "other").get(ns.path("services")).code == 403


def test_a_review_answers_as_recorded(api: Client) -> None:
    _, recorded = response("ssar")
    answer = api.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": recorded["spec"]})
    answer.body["metadata"].pop("managedFields", None)
    recorded = {**recorded, "metadata": {}}
    assert (answer.code, {**answer.body, "metadata": {}}) == (201, recorded)


def test_a_review_of_nothing_is_refused(api: Client) -> None:
    assert api.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {}}).code == 422


def test_a_review_says_no_without_being_an_error(mine: Namespace) -> None:
    assert may(mine, "update") is False


def test_a_review_about_somebody_else(ns: Namespace, mine: Namespace, bind: Bind) -> None:
    bind("ClusterRole", "view", subject("Group", "shop"))
    attributes = {"namespace": ns.name, "verb": "list", "resource": "pods"}
    about = {"spec": {"user": "x", "groups": ["shop"], "resourceAttributes": attributes}}
    path = f"{REVIEWS}/subjectaccessreviews"
    eventually(lambda: ns.api.post(path, about).body["status"]["allowed"])
    assert mine.api.post(path, about).code == 403


def test_all_rules_of_one_user(ns: Namespace, mine: Namespace, bind: Bind) -> None:
    bind("ClusterRole", "view", subject("User", "viewer"))
    eventually(lambda: may(mine, "get"))
    body = {"spec": {"namespace": ns.name}}
    status = mine.api.post(f"{REVIEWS}/selfsubjectrulesreviews", body).body["status"]
    assert any("pods" in each["resources"] for each in status["resourceRules"])


def test_an_admin_may_become_anybody_and_then_may_do_just_what_they_may(ns: Namespace) -> None:
    someone = ns.api.as_("mary", "viewers")
    who = whoami(someone)
    assert who["username"] == "mary"
    assert set(who["groups"]) == {"viewers", "system:authenticated"}
    assert someone.get(ns.path("services")).code == 403


def test_an_impersonated_service_account_is_in_its_groups(api: Client) -> None:
    who = whoami(api.as_("system:serviceaccount:default:robot"))
    assert "system:serviceaccounts:default" in who["groups"]


def test_impersonation_takes_a_right_for_each_user_and_group(viewer: Client, cluster_wide: Callable[..., None]) -> None:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    rules = [rule(["users"], ["impersonate"], "mary", group=""), rule(["groups"], ["impersonate"], "devs", group="")]
    cluster_wide("clusterroles", {"metadata": {"name": name}, "rules": rules})
    cluster_wide("clusterrolebindings", binding("ClusterRole", name, subject("User", "viewer")))
    path = "/apis/serving.knative.dev/v1/namespaces/default/services"
    eventually(lambda: "mary" in viewer.as_("mary", "devs").get(path).body["message"].split("User ")[1])
    assert viewer.as_("peter").get(path).refusal == (
        403,
        "Forbidden",
        'users "peter" is forbidden: User "viewer" cannot impersonate resource "users" in API group "" '
        "at the cluster scope",
    )
    assert viewer.as_("mary", "system:masters").get(path).code == 403


def test_a_group_without_a_user_cannot_be_impersonated(api: Client) -> None:
    assert api.as_("", "devs").get("/api/v1/namespaces").code in (400, 500)


def test_a_service_accounts_token_is_bound_by_its_roles(ns: Namespace, bind: Bind) -> None:
    accounts = ns.path("serviceaccounts")
    assert ns.api.post(accounts, {"metadata": {"name": "robot"}}).code == 201
    asked = ns.api.post(f"{accounts}/robot/token", {"spec": {"expirationSeconds": 600}})
    assert asked.code == 201
    robot = Namespace(ns.api.with_token(asked.body["status"]["token"]), ns.name)
    assert whoami(robot.api)["username"] == f"system:serviceaccount:{ns.name}:robot"
    assert robot.api.get(robot.path("services")).code == 403
    bind("ClusterRole", "view", subject("ServiceAccount", "robot", ns.name))
    eventually(lambda: robot.api.get(robot.path("services")).code == 200)
    assert robot.create("greet").code == 403


def test_who_may_not_bind_may_not_give_rights(ns: Namespace, mine: Namespace, bind: Bind) -> None:
    bind("ClusterRole", "view", subject("User", "viewer"))
    eventually(lambda: may(mine, "get"))
    path = f"{RBAC}/namespaces/{ns.name}/rolebindings"
    answer = mine.api.post(path, binding("ClusterRole", "cluster-admin", subject("User", "viewer")))
    assert answer.code == 403
