"""Adding, changing and removing clusters in the console, and lists over several of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml

from console.access.permissions import Permission
from console.audit.models import Entry
from console.cluster.resources import NAMESPACES, SERVICES
from console.mirror.read import KindState
from console.mirror.store import MIRRORED, MirrorWriter
from console.operations.lookups import cluster_rights
from console.operations.models import Operation
from console.redis_client import client as redis_client
from console.registry.models import Cluster
from console.sealing import seal
from tests import factories
from tests.registry.test_kubeconfig import config, encoded
from tests.sandbox_process import Sandbox, sandbox
from tests.web.pages import read

SECRET = "canary-token-7d1f"
SHOP = "/services/box/default/shop/"


@pytest.fixture(scope="module")
def edge() -> Iterator[Sandbox]:
    """A cluster to add."""
    with sandbox(seed="empty", speed=100, users={"viewer": []}) as running:
        yield running


@pytest.fixture
def admin(client, mirror, people, settings):
    settings.LOOPBACK_CLUSTERS = True
    client.force_login(people["administrator"])
    return client


def typed(box: Sandbox, **changes: str) -> dict[str, str]:
    """The form, filled in by hand."""
    return {"name": "edge", "url": box.tls_url, "ca": box.certificate, "token": box.token, "save": "1"} | changes


def draft_in(response) -> str:
    return response.context["form"].draft


def test_a_cluster_is_tested_and_saved_and_its_token_never_shown(admin, edge: Sandbox) -> None:
    response = admin.post("/clusters/add/", typed(edge), follow=True)
    assert response.redirect_chain == [("/cluster/edge/", 302)]
    page = read(response)
    assert "edge was saved" in page.text
    assert "Connected. Knative Serving found." in page.text
    for path in ("/cluster/edge/", "/cluster/edge/edit/", "/cluster/edge/remove/", "/clusters/", "/audit/"):
        assert edge.token not in admin.get(path).content.decode()
    assert Cluster.objects.get().credential.token == edge.token
    assert {entry.action for entry in Entry.objects.all()} >= {"cluster.tested", "cluster.added"}


def test_a_test_alone_saves_nothing(admin, edge: Sandbox) -> None:
    data = typed(edge, test="1")
    del data["save"]
    response = admin.post("/clusters/add/", data)
    assert response.status_code == 200
    assert "Connected. Knative Serving found." in read(response).text
    assert not Cluster.objects.exists()
    assert draft_in(response)
    assert edge.token not in response.content.decode()


def test_what_was_typed_comes_back_sealed_and_need_not_be_typed_again(admin, edge: Sandbox) -> None:
    response = admin.post("/clusters/add/", typed(edge, url="https://no-such-host.invalid"))
    assert response.status_code == 422
    assert "The host name could not be resolved." in read(response).text
    assert "Save anyway" in read(response).text
    assert edge.token not in response.content.decode()
    again = admin.post("/clusters/add/", typed(edge, token="", draft=draft_in(response)))
    assert again.status_code == 302
    assert Cluster.objects.get().credential.token == edge.token


def test_a_draft_is_its_persons_own(admin, edge: Sandbox, people) -> None:
    response = admin.post("/clusters/add/", typed(edge, url="https://no-such-host.invalid"))
    people["owner"].is_superuser = True
    people["owner"].save()
    admin.force_login(people["owner"])
    again = admin.post("/clusters/add/", typed(edge, token="", draft=draft_in(response)))
    assert again.status_code == 422
    assert "Enter a bearer token" in read(again).text


def test_a_cluster_that_does_not_work_is_saved_only_when_one_insists(admin, edge: Sandbox) -> None:
    data = typed(edge, token="wrong-token")
    response = admin.post("/clusters/add/", data)
    assert response.status_code == 422
    assert "The cluster rejected the credential (401)" in read(response).text
    assert not Cluster.objects.exists()
    del data["save"]
    assert admin.post("/clusters/add/", {**data, "anyway": "1"}).status_code == 302
    assert Cluster.objects.get().name == "edge"


def test_a_forbidden_address_is_not_saved_however_one_insists(admin, edge: Sandbox) -> None:
    data = typed(edge, url="https://169.254.169.254")
    del data["save"]
    response = admin.post("/clusters/add/", {**data, "anyway": "1"})
    assert response.status_code == 422
    assert "cannot be used for a cluster" in read(response).text
    assert "Save anyway" not in read(response).text
    assert not Cluster.objects.exists()


def test_loopback_is_refused_unless_it_is_allowed(admin, edge: Sandbox, settings) -> None:
    settings.LOOPBACK_CLUSTERS = False
    response = admin.post("/clusters/add/", typed(edge))
    assert response.status_code == 422
    assert "cannot be used for a cluster" in read(response).text


def test_missing_rights_are_named(admin, edge: Sandbox) -> None:
    response = admin.post("/clusters/add/", typed(edge, token="token-of-viewer"))
    assert response.status_code == 422
    text = read(response).text
    assert "cannot list and watch" in text
    assert "watch services.serving.knative.dev" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "Not A Name"}, "Use at most 63 lowercase letters"),
        ({"name": "a/b"}, "Use at most 63 lowercase letters"),
        ({"url": "http://prod.example.com"}, "The URL must start with https://"),
        ({"url": "prod"}, "Enter the API server's URL"),
        ({"url": "https://ada:pw@prod"}, "Enter the API server's URL"),
        ({"ca": "nonsense"}, "This is not a PEM certificate"),
        ({"token": ""}, "Enter a bearer token"),
        ({"token": f"{SECRET} with spaces"}, "This is not a bearer token"),
        ({"certificate": "x"}, "Enter either a token or a client certificate"),
        ({"token": "", "certificate": "x"}, "are a pair"),
        ({"token": "", "certificate": "x", "key": SECRET}, "The client certificate and key cannot be used"),
        ({"ingress": "nowhere"}, "Use the format host:port"),
    ],
)
def test_a_wrong_field_says_what_to_do_and_loses_nothing(
    admin, edge: Sandbox, changes: dict[str, str], message: str
) -> None:
    data = typed(edge, ingress="10.0.0.1:80", impersonates="on") | changes
    response = admin.post("/clusters/add/", data)
    assert response.status_code == 422
    assert message in read(response).text
    text = response.content.decode()
    assert SECRET not in text
    assert edge.token not in text
    form = response.context["form"]
    for name in ("name", "url", "ca", "ingress"):
        assert form[name].value() == data[name]
    assert not Cluster.objects.exists()


def test_a_name_is_used_once(admin, edge: Sandbox, settings) -> None:
    settings.CLUSTERS = '[{"name": "first", "url": "https://first"}]'
    admin.post("/clusters/add/", typed(edge))
    for name in ("edge", "first"):
        response = admin.post("/clusters/add/", typed(edge, name=name))
        assert (response.status_code, "with this name already exists" in read(response).text) == (422, True)


@pytest.fixture
def kept(admin) -> Cluster:
    """A cluster that was added, with a token that must not get anywhere."""
    return Cluster.objects.create(
        name="edge", url="https://edge.example.com", sealed_credential=seal({"token": SECRET}), added_by="ada"
    )


def test_another_address_needs_the_token_again(admin, kept: Cluster, edge: Sandbox) -> None:
    """Otherwise a person who changes the address would get the token."""
    for button in ("save", "test", "anyway"):
        response = admin.post("/cluster/edge/edit/", {"url": edge.tls_url, "ca": edge.certificate, button: "1"})
        assert response.status_code == 422
        assert "The address has changed. Enter the credential again" in read(response).text
        assert SECRET not in response.content.decode()
    kept.refresh_from_db()
    assert kept.url == "https://edge.example.com"
    assert not Entry.objects.filter(action="cluster.tested").exists()
    data = {"url": edge.tls_url, "ca": edge.certificate, "token": edge.token, "save": "1"}
    assert admin.post("/cluster/edge/edit/", data).status_code == 302
    kept.refresh_from_db()
    assert (kept.url, kept.credential.token) == (edge.tls_url, edge.token)


def test_everything_else_changes_without_the_token(admin, edge: Sandbox) -> None:
    admin.post("/clusters/add/", typed(edge))
    data = {"url": edge.tls_url, "ca": edge.certificate, "ingress": "10.0.0.1:80", "impersonates": "on", "save": "1"}
    assert admin.post("/cluster/edge/edit/", data).status_code == 302
    cluster = Cluster.objects.get()
    assert (cluster.ingress, cluster.impersonates, cluster.credential.token) == ("10.0.0.1:80", True, edge.token)
    changes = {row["field"] for row in Entry.objects.get(action="cluster.changed").changes}
    assert changes == {"ingress", "impersonates"}


def test_a_name_cannot_be_changed_by_posting_one(admin, edge: Sandbox) -> None:
    admin.post("/clusters/add/", typed(edge))
    admin.post("/cluster/edge/edit/", typed(edge, name="other"))
    assert Cluster.objects.get().name == "edge"


def test_the_stored_token_is_in_no_page_and_no_log(admin, kept: Cluster, caplog) -> None:
    caplog.set_level("DEBUG")
    admin.post("/cluster/edge/test/")
    for path in ("/clusters/", "/cluster/edge/", "/cluster/edge/edit/", "/cluster/edge/remove/", "/audit/"):
        assert SECRET not in admin.get(path).content.decode()
    assert SECRET not in caplog.text
    assert SECRET not in str(list(Entry.objects.values()))


def test_a_cluster_is_removed_after_a_question(admin, kept: Cluster) -> None:
    assert "Nothing changes in the cluster." in read(admin.get("/cluster/edge/remove/")).text
    assert Cluster.objects.exists()
    assert admin.post("/cluster/edge/remove/").status_code == 302
    assert not Cluster.objects.exists()
    assert Entry.objects.first().action == "cluster.removed"


def test_a_cluster_is_not_removed_under_a_running_operation(admin, kept: Cluster) -> None:
    Operation.objects.create(
        cluster="edge", namespace="default", name="shop", kind="x", actor="ada", status="following",
        sealed_change=seal({}), sealed_seen=seal({}),
    )  # fmt: skip
    response = admin.post("/cluster/edge/remove/")
    assert response.status_code == 409
    assert "1 operation is in progress there." in read(response).text
    assert Cluster.objects.exists()


@pytest.mark.parametrize("page", ["edit", "remove"])
def test_a_configured_cluster_is_not_changed_here(admin, settings, page: str) -> None:
    settings.CLUSTERS = '[{"name": "first", "url": "https://first"}]'
    assert admin.get("/cluster/first/").status_code == 200
    assert admin.get(f"/cluster/first/{page}/").status_code == 404


def test_the_list_says_where_each_cluster_comes_from(admin, kept: Cluster, settings) -> None:
    settings.CLUSTERS = (
        '[{"name": "prod", "kubeconfig": "/etc/k", "context": "prod"}, {"name": "here", "in_cluster": true},'
        ' {"name": "box", "url": "https://box"}, {"name": "edge", "url": "https://other"}]'
    )
    text = read(admin.get("/clusters/")).text
    for words in (
        "kubeconfig prod",
        "the cluster the console runs in",
        "not used: CONSOLE_CLUSTERS has a cluster with the same name",
    ):
        assert words in text


# --- a pasted kubeconfig -------------------------------------------------------------------------


def paste(box: Sandbox, **user: Any) -> str:
    server = {"server": box.tls_url, "certificate-authority-data": encoded(box.certificate)}
    return config(cluster=server, user=user or {"token": SECRET})


def test_a_pasted_kubeconfig_fills_the_form(admin, edge: Sandbox) -> None:
    text = yaml.safe_load(paste(edge, token=edge.token))
    text["contexts"] = [{"name": "Admin@Edge.example", "context": {"cluster": "p", "user": "ada"}}]
    response = admin.post("/clusters/add/", {"kubeconfig": yaml.safe_dump(text), "read": "1"})
    form = response.context["form"]
    assert (form["name"].value(), form["url"].value()) == ("admin-edge-example", edge.tls_url)
    assert edge.token not in response.content.decode()
    data = {name: form[name].value() or "" for name in ("name", "url", "ca")}
    assert admin.post("/clusters/add/", {**data, "draft": form.draft, "save": "1"}).status_code == 302
    assert Cluster.objects.get().credential.token == edge.token


def test_of_several_contexts_one_is_chosen(admin, edge: Sandbox) -> None:
    response = admin.post("/clusters/add/", {"kubeconfig": paste(edge), "read": "1"})
    assert "Which context?" in read(response).text
    assert SECRET not in response.content.decode()
    draft = response.context["pasted"].draft
    chosen = admin.post("/clusters/add/", {"draft": draft, "context": "other", "read": "1"})
    assert chosen.context["form"]["url"].value() == "https://o"
    assert SECRET not in chosen.content.decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Paste a kubeconfig."),
        ("a: [", "This is not a kubeconfig"),
        ("kind: Config", "The kubeconfig has no contexts."),
    ],
)
def test_what_is_no_kubeconfig_says_so(admin, text: str, message: str) -> None:
    response = admin.post("/clusters/add/", {"kubeconfig": text, "read": "1"})
    assert (response.status_code, message in read(response).text) == (422, True)


def test_an_exec_plugin_is_refused_and_another_context_can_be_chosen(admin, edge: Sandbox) -> None:
    text = yaml.safe_load(paste(edge))
    text["users"].append({"name": "aws", "user": {"exec": {"command": "aws"}}})
    text["contexts"].append({"name": "cloud", "context": {"cluster": "p", "user": "aws"}})
    posted = {"kubeconfig": yaml.safe_dump(text), "context": "cloud", "read": "1"}
    response = admin.post("/clusters/add/", posted)
    assert response.status_code == 422
    assert "uses a credential plugin (exec), which the console does not run." in read(response).text
    draft = response.context["pasted"].draft
    again = admin.post("/clusters/add/", {"draft": draft, "context": "prod", "read": "1"})
    assert again.context["form"]["url"].value() == edge.tls_url


# --- lists over several clusters ------------------------------------------------------------------


@pytest.fixture
def away(mirror) -> None:
    """A second cluster, `far`, which has not answered for a while."""
    writer = MirrorWriter(redis_client(), "far", "test", b"seal")
    writer.replace_all(SERVICES, [factories.service("far-shop")])
    writer.replace_all(NAMESPACES, [{"metadata": {"name": "default"}}])
    for kind in MIRRORED:
        writer.note(kind, msgspec.json.encode(KindState(time.time() - 300, error="connection refused")))


def test_a_cluster_that_is_away_is_named_and_the_others_are_current(admin, away) -> None:
    response = admin.get("/")
    text = read(response).text
    assert "far is not responding" in text
    assert "box is not responding" not in text
    assert text.count("stale") == 1
    assert {"shop", "far-shop"} <= {row.name for row in response.context["page"]}
    assert [row.name for row in admin.get("/?cluster=far").context["page"]] == ["far-shop"]
    assert [row.cluster for row in admin.get("/?sort=-cluster").context["page"]] == ["far", "box"]


def test_a_cluster_that_was_never_read_is_named_too(admin, mirror) -> None:
    writer = MirrorWriter(redis_client(), "new", "test", b"seal")
    writer.note(SERVICES, msgspec.json.encode(KindState(0.0, error="name not known")))
    assert "new has not been read completely yet," in read(admin.get("/")).text


def test_nobody_learns_of_a_cluster_in_which_they_may_see_nothing(client, away, people) -> None:
    client.force_login(people["viewer"])
    response = client.get("/")
    assert response.context["clusters"] == ["box"]
    assert "far" not in read(response).text.split()
    client.force_login(people["administrator"])
    assert client.get("/").context["clusters"] == ["box", "far"]


# --- what the cluster itself would refuse ----------------------------------------------------------


def test_what_the_cluster_would_refuse_is_shown_disabled_with_the_reason(admin, monkeypatch) -> None:
    update = {Permission.DEPLOY: "update services", Permission.TRAFFIC: "update services"}
    monkeypatch.setattr(cluster_rights, "refused", lambda _ref, _user: update)
    response = admin.get(SHOP)
    page = read(response)
    locked = "Traffic, Edit and deploy"
    assert f"{locked}: the cluster does not allow “update services” in default" in page.text
    assert f"{SHOP}env/" not in page.links
    assert f"{SHOP}delete/" in page.links
    assert "Route 100 % here" not in page.text


def test_a_missing_role_is_told_rather_than_what_the_cluster_says(client, mirror, people, monkeypatch) -> None:
    monkeypatch.setattr(cluster_rights, "refused", lambda _ref, _user: {Permission.DELETE: "delete services"})
    client.force_login(people["deployer"])
    text = read(client.get(SHOP)).text
    assert "Delete: requires the role owner" in text
    assert "does not allow" not in text


def test_who_may_only_look_costs_the_cluster_no_question(client, mirror, people, monkeypatch) -> None:
    monkeypatch.setattr(cluster_rights, "refused", lambda _ref, _user: pytest.fail("asked"))
    client.force_login(people["viewer"])
    assert client.get(SHOP).status_code == 200
