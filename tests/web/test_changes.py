"""From a form over the preview to an operation, with the sandbox answering."""

from __future__ import annotations

import itertools

import pytest

from console.audit.models import Entry
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.kn_command import KnLimit
from console.operations.models import Operation, Preview
from console.web.kn_words import KN_LIMITS
from tests.operations.factories import World
from tests.operations.steps import finish
from tests.web.pages import read

_numbers = itertools.count(1)


class Shown:
    """A service of the sandbox that the mirror has seen, and a signed-in person's client."""

    def __init__(self, client, world: World, mirror) -> None:
        self.name = f"web-{next(_numbers)}"
        self.client, self.world, self.mirror = client, world, mirror
        world.create(self.name)
        self.mirror_it()

    @property
    def path(self) -> str:
        return f"/services/box/default/{self.name}/"

    def mirror_it(self) -> None:
        """What the watcher would do."""
        self.service = self.world.get(self.name)
        self.mirror.put(SERVICES, self.service)
        listed = self.world.box.get("/apis/serving.knative.dev/v1/namespaces/default/revisions")["items"]
        for revision in listed:
            if revision["metadata"]["labels"]["serving.knative.dev/service"] == self.name:
                self.mirror.put(REVISIONS, {**revision, "kind": "Revision"})

    def set_target(self, value: str, **more: str):
        """Post the table of variables with a new value for TARGET."""
        data = {"rows": "1", "exists-0": "1", "name-0": "TARGET", "action-0": "set", "value-0": value, "source-0": ""}
        data |= {"container": "app", "resource_version": self.service["metadata"]["resourceVersion"]}
        return self.client.post(f"{self.path}env/", data | more)


@pytest.fixture
def shown(client, world, mirror, people) -> Shown:
    client.force_login(people["administrator"])
    return Shown(client, world, mirror)


def test_a_preview_says_what_will_happen_and_writes_nothing(shown: Shown) -> None:
    text = read(shown.set_target("canary-new")).text
    assert "Creates a new revision." in text
    assert "Tracks the latest revision: a new revision gets 100%" in text
    assert "spec.template.spec.containers[app].env[TARGET].value First canary-new" in text
    assert f'kn service update {shown.name} --namespace default --env TARGET="$TARGET"' in text
    assert "one that is not set gives an empty value" in text
    assert "Server-side dry run passed." in text
    assert text.count("canary") == 2, "in words and in the table of fields, not in the command, patch or manifest"
    assert shown.world.env(shown.name)["TARGET"] == "First"


def test_a_split_says_that_no_revision_is_made(shown: Shown) -> None:
    rows = {"rows": "2", "name-0": "@latest", "percent-0": "50", "name-1": f"{shown.name}-00001", "percent-1": "50"}
    text = read(shown.client.post(f"{shown.path}traffic/", rows)).text
    assert "No new revision." in text
    assert "Split: a new revision gets 50% as soon as it is ready." in text
    assert f"--traffic @latest=50,{shown.name}-00001=50" in text


def test_submitting_makes_one_operation_however_often_the_button_is_pressed(shown: Shown) -> None:
    shown.set_target("Second")
    address = f"/previews/{Preview.objects.get().id}/submit/"
    first = shown.client.post(address, {"reason": "because"})
    operation = Operation.objects.get()
    assert first["Location"] == f"/operations/{operation.id}/"
    again = shown.client.post(address, {"reason": "because"})
    came_back, with_mistake = shown.client.get(address), shown.client.post(address, {"deadline": "never"})
    assert {answer["Location"] for answer in (again, came_back, with_mistake)} == {first["Location"]}
    assert Operation.objects.count() == 1
    page = read(shown.client.get(first["Location"]))
    for words in ("Change environment variables", "Queued", "because", "Cancel"):
        assert words in page.text
    entry = Entry.objects.get(action="deploy.SetEnv")
    assert entry.changes == [
        {"field": "spec.template.spec.containers[app].env[TARGET].value", "before": "••••", "after": "••••"}
    ]
    audit = read(shown.client.get(f"/audit/{entry.sequence}/")).text
    assert "env[TARGET].value •••• ••••" in audit


def test_a_revision_names_the_person_and_not_only_the_consoles_account(shown: Shown) -> None:
    shown.set_target("Second")
    shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    finish(Operation.objects.get())
    shown.mirror_it()
    for path in ("", "revisions/", f"revisions/{shown.name}-00002/"):
        assert "administrator · via console" in read(shown.client.get(f"{shown.path}{path}")).text
    first = read(shown.client.get(f"{shown.path}revisions/{shown.name}-00001/")).text
    assert "via console" not in first


def test_a_service_that_changed_meanwhile_is_said_and_compared_as_it_is_now(shown: Shown) -> None:
    seen = shown.service["metadata"]["resourceVersion"]

    def other(service) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "Theirs"

    shown.world.edit(shown.name, other)
    text = read(shown.set_target("Mine", resource_version=seen)).text
    assert "changed the service after you opened the form" in text
    assert "The changes below are compared with its current state." in text
    assert "env[TARGET].value Theirs Mine" in text


def test_a_service_that_is_gone_in_the_cluster_is_said(shown: Shown) -> None:
    shown.world.delete(shown.name)
    response = shown.set_target("Second")
    assert response.status_code == 404
    assert "The object was not found in the cluster." in read(response).text
    assert not Preview.objects.exists()


def test_nothing_to_change_is_said_on_the_form(shown: Shown) -> None:
    response = shown.set_target("First")
    assert response.status_code == 422
    assert "Nothing would change: the service is already like that." in read(response).text


def test_what_the_cluster_refuses_is_shown_in_its_words_and_cannot_be_applied(shown: Shown) -> None:
    shown.world.box.fault(verb="update", code=403, message="quota of the shop")
    response = shown.set_target("Second")
    assert response.status_code == 422
    page = read(response)
    assert "The cluster's own access rules do not allow this." in page.text
    assert "quota of the shop" in page.text
    assert 'id="apply"' not in response.content.decode()


def test_revealing_shows_the_values_once_and_leaves_an_entry(shown: Shown) -> None:
    assert "canary-secret-first" not in read(shown.client.get(f"{shown.path}env/")).text
    response = shown.client.post(f"{shown.path}env/reveal/", {"container": "app"})
    assert "PASSWORD Value canary-secret-first" in read(response).text
    assert "no-store" in response["Cache-Control"]
    assert Entry.objects.filter(action="reveal.Env", service=shown.name).count() == 1


def test_a_deleted_service_needs_its_name_and_shows_the_command(shown: Shown) -> None:
    text = read(shown.client.post(f"{shown.path}delete/", {"confirm": shown.name})).text
    assert f"kn service delete {shown.name} --namespace default" in text
    assert shown.world.get(shown.name)


def test_a_new_service_is_previewed_before_it_is_made(shown: Shown) -> None:
    typed = {"place": "box/default", "name": "brand-new", "image": "gcr.io/knative-samples/helloworld-go"}
    text = read(shown.client.post("/services/new/", typed | {"variables": "TARGET=canary-new"})).text
    assert "kn service create brand-new --namespace default" in text
    assert "Creates the service brand-new in default." in text
    assert text.count("canary-new") == 2, "in words and in the table of fields"


def test_a_pasted_file_is_compared_variable_by_variable(shown: Shown) -> None:
    pasted = "TARGET=First\nPASSWORD=canary-new\nexport COLOUR='blue'\n# a remark"
    rows = {"rows": "0", "container": "app", "paste": pasted}
    page = read(shown.client.post(f"{shown.path}env/", rows)).text
    assert "env[PASSWORD].value canary-secret-first canary-new" in page
    assert "env[COLOUR] not set blue" in page
    assert "env[TARGET]" not in page.split("Resulting manifest")[0], "it has that value already"


def test_a_sidecar_may_have_a_port_of_its_own(shown: Shown) -> None:
    typed = {"rows": "1", "name-0": "PORT", "action-0": "set", "value-0": "9000", "source-0": ""}
    sidecar = shown.client.post(f"{shown.path}env/", typed | {"container": "sidecar"})
    assert "spec.template.spec.containers[sidecar].env[PORT]" in read(sidecar).text
    pasted = shown.client.post(f"{shown.path}env/", {"container": "sidecar", "rows": "0", "paste": "PORT=9000"})
    assert pasted.status_code == 200
    serving = shown.client.post(f"{shown.path}env/", typed | {"container": "app"})
    assert "“PORT” is reserved" in read(serving).text
    reserved = shown.client.post(f"{shown.path}env/", typed | {"container": "sidecar", "name-0": "K_SERVICE"})
    assert "“K_SERVICE” is reserved" in read(reserved).text


def test_what_kn_cannot_express_is_said_in_words_beside_the_patch(shown: Shown) -> None:
    data = {
        "container": "app",
        "resource_version": shown.service["metadata"]["resourceVersion"],
        "pull_secrets": "a\nb",
    }
    page = read(shown.client.post(f"{shown.path}settings/", data))
    assert "kn cannot express this change. kn sets only one image pull secret." in page.text
    assert "imagePullSecrets:" in page.text
    assert "kn service update" not in page.text


def test_every_reason_why_kn_cannot_express_a_change_has_words() -> None:
    assert set(KN_LIMITS) == set(KnLimit)
