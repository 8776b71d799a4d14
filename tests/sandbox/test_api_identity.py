"""Tokens, roles, impersonation and the reviews."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.sandbox.identity import Tokens
from tests.sandbox.api_client import RBAC, SERVICES, SERVING, Client, service
from tests.sandbox.conftest import RunningApi

REVIEWS = "/apis/authorization.k8s.io/v1"


@pytest.fixture
def viewer(running_api: RunningApi) -> Client:
    return running_api.client("viewer")


def role(rules: list[dict], name: str = "test") -> dict:
    return {"metadata": {"name": name}, "rules": rules}


def rule(resources: list[str], verbs: list[str], *names: str, group: str = "serving.knative.dev") -> dict:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs} | ({"resourceNames": names} if names else {})


def binding(kind: str, role_name: str, *subjects: tuple[str, str]) -> dict:
    return {
        "metadata": {"name": "test"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role_name},
        "subjects": [{"kind": kind_, "name": name} for kind_, name in subjects],
    }


@pytest.fixture
def bind(api: Client):
    """Bind a role to the viewers' group in default; taken back at the end."""
    made: list[str] = []

    def post(path: str, obj: dict) -> None:
        assert api.post(path, obj).code == 201
        made.append(f"{path}/{obj['metadata']['name']}")

    yield post
    for path in made:
        api.delete(path)


DEFAULT = f"{RBAC}/namespaces/default"


def test_a_role_allows_what_it_names_and_nothing_else(api: Client, viewer: Client, bind):
    for name in ("hello", "other"):
        api.post(SERVICES, service(name))
    bind(f"{DEFAULT}/roles", role([rule(["services"], ["get"], "hello"), rule(["services/status"], ["get"])]))
    bind(f"{DEFAULT}/rolebindings", binding("Role", "test", ("Group", "viewers")))
    assert viewer.get(f"{SERVICES}/hello").code == 200
    assert viewer.get(f"{SERVICES}/other").code == 403
    assert viewer.get(SERVICES).code == 403
    assert viewer.get(f"{SERVICES}/other/status").code == 200
    assert viewer.get(f"{SERVING}/namespaces/kube-system/services/hello").code == 403
    refused = viewer.delete(f"{SERVICES}/hello").body
    assert refused["message"] == (
        'services.serving.knative.dev "hello" is forbidden: User "viewer" cannot delete resource "services" '
        'in API group "serving.knative.dev" in the namespace "default"'
    )


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        ("knative-serving-namespaced-view", {"get", "list", "watch"}, {"create", "update", "delete"}),
        ("knative-serving-namespaced-edit", {"create", "update", "patch", "delete"}, {"get", "list"}),
        ("knative-serving-namespaced-admin", {"get", "update", "delete"}, set()),
        ("view", {"get", "list"}, {"update"}),
        ("edit", {"get", "update"}, set()),
    ],
)
def test_the_built_in_roles_aggregate_as_knative_has_them(viewer: Client, bind, name: str, may: set, may_not: set):
    bind(f"{DEFAULT}/rolebindings", binding("ClusterRole", name, ("User", "viewer")))
    for verb in may | may_not:
        attributes = {"namespace": "default", "verb": verb, "group": "serving.knative.dev", "resource": "services"}
        review = viewer.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": attributes}})
        assert review.body["status"]["allowed"] is (verb in may)


def test_view_shows_pods_and_logs_but_no_secrets(api: Client, viewer: Client, bind):
    bind(f"{RBAC}/clusterrolebindings", binding("ClusterRole", "view", ("Group", "viewers")))
    assert viewer.get("/api/v1/pods").code == 200
    assert viewer.get("/api/v1/namespaces/default/pods/none/log").code == 404
    assert viewer.get("/api/v1/namespaces/default/secrets").code == 403
    assert viewer.get("/api/v1/namespaces/default").code == 200


def test_a_review_answers_as_recorded(api: Client, recorded):
    expected = recorded["ssar"]
    assert api.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": expected["spec"]}).body == expected
    assert api.post(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {}}).code == 422
    assert api.get(f"{REVIEWS}/selfsubjectaccessreviews").code == 405


def test_reviews_about_others_and_about_all_rules(api: Client, viewer: Client, bind):
    bind(f"{DEFAULT}/rolebindings", binding("ClusterRole", "view", ("Group", "viewers")))
    attributes = {"namespace": "default", "verb": "list", "resource": "pods"}
    about = {"spec": {"user": "x", "groups": ["viewers"], "resourceAttributes": attributes}}
    assert api.post(f"{REVIEWS}/subjectaccessreviews", about).body["status"] == {"allowed": True}
    assert viewer.post(f"{REVIEWS}/subjectaccessreviews", about).code == 403
    rules = viewer.post(f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}).body["status"]
    assert any("pods" in rule["resources"] for rule in rules["resourceRules"])


def whoami(client: Client) -> dict:
    return client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}).body["status"]["userInfo"]


def test_an_admin_may_become_anybody_and_then_may_do_just_what_they_may(api: Client):
    someone = api.as_("mary", "viewers", "more")
    assert whoami(someone) == {"username": "mary", "groups": ["viewers", "more", "system:authenticated"]}
    assert someone.get(SERVICES).code == 403
    assert someone.get("/sandbox/facts").code == 403
    account = whoami(api.as_("system:serviceaccount:default:robot"))
    assert "system:serviceaccounts:default" in account["groups"]


def test_impersonation_takes_a_right_for_each_user_and_group(viewer: Client, bind):
    rules = [rule(["users"], ["impersonate"], "mary", group=""), rule(["groups"], ["impersonate"], "devs", group="")]
    bind(f"{RBAC}/clusterroles", role(rules))
    bind(f"{RBAC}/clusterrolebindings", binding("ClusterRole", "test", ("User", "viewer")))
    assert whoami(viewer.as_("mary", "devs"))["username"] == "mary"
    refused = viewer.as_("peter").get(SERVICES)
    assert refused.body["message"] == (
        'users "peter" is forbidden: User "viewer" cannot impersonate resource "users" in API group "" '
        "at the cluster scope"
    )
    assert viewer.as_("mary", "system:masters").get(SERVICES).code == 403
    assert viewer.as_("", "devs").get(SERVICES).code == 500


def test_a_service_account_gets_a_token_that_is_bound_by_its_roles(api: Client, running_api: RunningApi, bind):
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    api.post(accounts, {"metadata": {"name": "robot"}})
    token = api.post(f"{accounts}/robot/token", {"spec": {"expirationSeconds": 600}}).body["status"]["token"]
    robot = Client(running_api.url, token)
    assert whoami(robot)["username"] == "system:serviceaccount:default:robot"
    assert robot.get(SERVICES).code == 403
    bound = binding("ClusterRole", "view") | {"subjects": [{"kind": "ServiceAccount", "name": "robot"}]}
    bind(f"{DEFAULT}/rolebindings", bound)
    assert robot.get(SERVICES).code == 200


@pytest.mark.parametrize(
    "text", ['[{"token": "t", "user": "mary", "uid": "1", "groups": ["a", "b"]}]', 't,mary,1,"a,b"\n']
)
def test_token_files_are_json_or_csv(tmp_path: Path, text: str):
    path = tmp_path / "tokens"
    path.write_text(text)
    user = Tokens.from_file(path).authenticate("Bearer t")
    assert (user.name, user.groups) == ("mary", ("a", "b", "system:authenticated"))


@pytest.mark.parametrize("text", ["", "[]", "t\n", "t,mary\nt,peter\n"])
def test_a_token_file_that_cannot_be_right_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(ValueError, match="tokens"):
        Tokens.from_file(path)
