"""One change for many services: each is previewed, the possible ones become operations of one batch."""

from __future__ import annotations

import re

import pytest

from console.access.models import Grant, Role
from console.audit.models import Entry
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.changes import load
from console.operations.models import Draft, Operation, Preview
from console.operations.models.protection import ProtectionRule
from console.sealing import unseal
from console.web.views.bulk import MAX_OTHERS
from tests import factories
from tests.operations.factories import World
from tests.web.pages import read

NAMES = ("bulk-one", "bulk-two")


@pytest.fixture
def two(client, world: World, mirror, people):
    """Two services of the sandbox in the mirror, next to shop, which the cluster does not have."""
    for name in NAMES:
        try:
            world.get(name)
        except OSError:
            world.create(name)
        mirror.put(SERVICES, world.get(name))
    client.force_login(people["deployer"])
    return client


def typed(*names: str, **more: str) -> dict[str, object]:
    data = {"services": [f"box/default/{name}" for name in names], "kind": "env", "name": "COLOUR", "value": "canary-x"}
    return {**data, **more}


def test_each_service_says_what_would_happen_to_it(two) -> None:
    text = read(two.post("/services/bulk/", typed(*NAMES, "shop"))).text
    for name in NAMES:
        told = "COLOUR: not set → canary-x Changes by field spec.template.spec.containers[app].env[COLOUR] → canary-x"
        assert f"box/default/{name} {told} yes 100%" in text
    assert "box/default/shop The object was not found in the cluster." in text
    assert "Deploy to 2 services" in text
    assert Preview.objects.count() == 2


def test_the_button_says_for_how_many_services_it_only_requests_approval(two) -> None:
    rule = ProtectionRule.objects.create(cluster="box", namespace="default", service=NAMES[0], permissions=["deploy"])
    page = two.post("/services/bulk/", typed(*NAMES))
    assert "Deploy to 1 service, request approval for 1" in read(page).text
    ids = [str(preview.id) for preview in Preview.objects.all()]
    stopped = two.post("/services/bulk/submit/", {"preview": ids, "deadline": "x"})
    assert "Deploy to 1 service, request approval for 1" in read(stopped).text
    ProtectionRule.objects.filter(pk=rule.pk).update(service=None)
    text = read(two.post("/services/bulk/", typed(*NAMES))).text
    assert "Request approval for 2 services" in text
    assert "Deploy to" not in text


def test_applying_makes_operations_of_one_batch_once(two) -> None:
    two.post("/services/bulk/", typed(*NAMES))
    previews = {"preview": [str(preview.id) for preview in Preview.objects.all()], "reason": "new colours"}
    answer = two.post("/services/bulk/submit/", previews)
    assert Operation.objects.count() == 2
    batch = Operation.objects.values_list("batch", flat=True).distinct().get()
    assert answer["Location"] == f"/operations/?batch={batch}"
    page = read(two.get(answer["Location"])).text
    assert all(name in page for name in NAMES)
    again = two.post("/services/bulk/submit/", previews)
    with_mistake = two.post("/services/bulk/submit/", {**previews, "deadline": "never"})
    assert again["Location"] == with_mistake["Location"] == answer["Location"]
    other = {"preview": ["00000000-0000-4000-8000-000000000001"]}
    assert "was already submitted" in read(two.post("/services/bulk/submit/", other, follow=True)).text
    assert Operation.objects.count() == 2
    assert Entry.objects.filter(action="deploy.SetEnv", text="new colours").count() == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"services": []}, "Select at least one service."),
        ({"services": ["box/other/foreign"]}, "not one of the available choices"),
        ({"name": ""}, "An environment variable needs a name."),
        ({"name": "PORT"}, "“PORT” is reserved"),
        ({"kind": "label", "name": "bad key!"}, "“bad key!” is not a valid key"),
        ({"kind": "min-scale", "value": "-1"}, "Enter a whole number."),
        ({"kind": "explode"}, "not one of the available choices"),
    ],
)
def test_bad_input_is_refused_with_nothing_written(two, mirror, more: dict[str, object], message: str) -> None:
    mirror.put(SERVICES, factories.service("foreign", "other"))
    response = two.post("/services/bulk/", {**typed(*NAMES), **more})
    assert response.status_code == 422
    assert message in read(response).text
    assert not Preview.objects.exists()


def test_a_service_where_the_person_may_not_deploy_says_so_and_leaves_an_entry(two, people) -> None:
    Grant.objects.filter(team__memberships__user=people["deployer"]).update(role=Role.objects.get(name="viewer"))
    text = read(two.post("/services/bulk/", typed(*NAMES))).text
    assert text.count("You need the “deploy” permission.") == 2
    assert "Deploy to" not in text
    assert Entry.objects.filter(action="deploy.refused").count() == 2


def mirror_revisions(world: World, mirror) -> None:
    for revision in world.box.get("/apis/serving.knative.dev/v1/namespaces/default/revisions")["items"]:
        mirror.put(REVISIONS, {**revision, "kind": "Revision"})


def test_an_operator_restarts_many_and_no_other_build_comes_along(two, world: World, mirror, people) -> None:
    mirror_revisions(world, mirror)
    two.force_login(people["operator"])
    text = read(two.post("/services/bulk/", {**typed(*NAMES), "kind": "restart"})).text
    assert "Restart 2 services" in text
    kinds = {type(load(unseal(preview.sealed_change))).__name__ for preview in Preview.objects.all()}
    assert kinds == {"Restart"}
    refused = read(two.post("/services/bulk/", {**typed(*NAMES), "kind": "redeploy"})).text
    assert refused.count("You need the “deploy” permission.") == 2


def test_running_builds_are_kept_unless_somebody_says_otherwise(two, world: World, mirror) -> None:
    mirror_revisions(world, mirror)
    two.post("/services/bulk/", typed(NAMES[0], keep_digest="1"))
    two.post("/services/bulk/", typed(NAMES[1]))
    found = [load(unseal(preview.sealed_change)) for preview in Preview.objects.order_by("created_at")]
    assert [type(change).__name__ for change in found] == ["Combined", "SetEnv"]


def test_a_time_that_cannot_be_is_asked_again_for_all(two) -> None:
    two.post("/services/bulk/", typed(*NAMES))
    ids = [str(preview.id) for preview in Preview.objects.all()]
    wrong = two.post("/services/bulk/submit/", {"preview": [*ids, "no-id"], "deadline": "x", "reason": "because"})
    assert wrong.status_code == 422
    assert all(one in wrong.content.decode() for one in (*ids, "because"))
    assert not Operation.objects.exists()
    two.post("/services/bulk/submit/", {"preview": ids, "deadline": "77"})
    assert set(Operation.objects.values_list("deadline_seconds", flat=True)) == {77.0}


def test_of_many_services_the_chosen_and_the_first_are_listed_and_all_can_be_searched_for(
    client, mirror, people
) -> None:
    """A page with a line for each of ten thousand services was 8 MB and took seconds."""
    mirror.replace_all(SERVICES, [factories.service(f"s{number:03}") for number in range(MAX_OTHERS + 20)])
    client.force_login(people["deployer"])
    last = f"box/default/s{MAX_OTHERS + 19:03}"
    page = client.get("/services/bulk/", {"services": [last]})
    assert page.content.count(b'name="services"') == MAX_OTHERS + 1
    assert f'value="{last}"' in page.content.decode()
    assert f"{MAX_OTHERS + 1} of {MAX_OTHERS + 20} services are shown. Search for the others." in read(page).text
    found = client.get("/services/bulk/", {"q": last[-4:]})
    assert found.content.count(b'name="services"') == 1
    assert "are shown" not in read(found).text


def test_a_service_beyond_those_listed_can_be_changed(client, mirror, people) -> None:
    mirror.replace_all(SERVICES, [factories.service(f"s{number:03}") for number in range(MAX_OTHERS + 20)])
    client.force_login(people["deployer"])
    text = read(client.post("/services/bulk/", typed(f"s{MAX_OTHERS + 19:03}"))).text
    assert "Select a valid choice" not in text
    assert f"box/default/s{MAX_OTHERS + 19:03}" in text


def ticked(response) -> set[str]:
    return set(re.findall(r'name="services" value="([^"]+)"\s+id="[^"]+" checked', response.content.decode()))


def test_a_search_keeps_what_is_chosen_and_typed_and_judges_nothing(client, mirror, people) -> None:
    mirror.replace_all(SERVICES, [factories.service(f"s{number:03}") for number in range(MAX_OTHERS + 20)])
    client.force_login(people["deployer"])
    two, third = ("s001", "s002"), f"s{MAX_OTHERS + 19:03}"
    found = client.post("/services/bulk/", {**typed(*two, name="bad name!"), "q": third, "search": "1"})
    assert found.status_code == 200
    assert ticked(found) == {f"box/default/{name}" for name in two}
    assert f'value="box/default/{third}"' in found.content.decode()
    assert "canary-x" in found.content.decode()
    assert "bad name!" in found.content.decode()
    assert not Draft.objects.exists()
    assert ticked(client.post("/services/bulk/", {**typed(*two, third), "q": "s0", "search": "1"})) == {
        f"box/default/{name}" for name in (*two, third)
    }
    entered = client.post("/services/bulk/", {**typed(*two), "q": third, "found": ""})
    assert ticked(entered) == {f"box/default/{name}" for name in two}, "Enter beside another text searches too"
    assert not ticked(client.post("/services/bulk/", {**typed(*two), "q": third, "review": "1"})), "the preview"
    text = read(client.post("/services/bulk/", {**typed(*two, third), "q": third, "found": third})).text
    assert all(f"box/default/{name}" in text for name in (*two, third))


def test_what_an_address_chooses_is_chosen_whatever_its_filter(client, mirror, people) -> None:
    mirror.replace_all(SERVICES, [factories.service(name) for name in ("one", "two", "three")])
    client.force_login(people["deployer"])
    chosen = ["box/default/one", "box/default/two"]
    assert ticked(client.get("/services/bulk/", {"services": chosen, "q": "three"})) == set(chosen)
