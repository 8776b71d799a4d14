"""A service's first page: what serves and who made it, the way back in two presses, one table, nothing invented."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.cluster.resources import PODS, REVISIONS, SERVICES
from console.operations.models import Operation, Preview
from tests import factories
from tests.web.pages import markup, read
from tests.web.test_changes import Shown, shown
from tests.web.test_diagnosis import crash, failed, pod
from tests.web.test_restart_and_scale import press

__all__ = ["shown"]

SHOP = "/services/box/default/shop/"


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["administrator"])
    return client


def serving(**shares: int) -> dict[str, Any]:
    """The service shop with a split: percent by number of the revision, as `r3=100`."""
    raw = factories.service()
    raw["status"]["traffic"] = [
        {"revisionName": f"shop-{int(name[1:]):05}", "percent": percent} for name, percent in shares.items()
    ]
    return raw


def main_line(text: str) -> str:
    """What the page says beside the bar: the revision with the largest share, who made it, the way back."""
    return text.partition("Current traffic")[2].partition("Revision Traffic")[0]


def leads_back_to(text: str, target: str) -> bool:
    """The button beside the revision that serves says where it leads."""
    return f"Roll back to {target} " in main_line(text)


def rows(page: str) -> list[str]:
    """The names of the revisions in the page's one table, from top to bottom."""
    return re.findall(r'<tr id="revision-[^"]*"[^>]*>.*?revisions/([^/"]+)/"', page, re.DOTALL)


@pytest.mark.parametrize(
    ("shares", "back"),
    [
        ({"r4": 100}, "shop-00003"),
        ({"r3": 90, "r4": 10}, "shop-00003"),
        ({"r3": 10, "r4": 90}, "shop-00003"),
        ({"r1": 20, "r2": 30, "r4": 50}, "shop-00002"),
        ({"r1": 100}, ""),
    ],
)
def test_the_way_back_leads_to_what_is_older(owner, mirror, shares: dict[str, int], back: str) -> None:
    mirror.put(SERVICES, serving(**shares))
    page = read(owner.get(SHOP))
    if back:
        assert leads_back_to(page.text, back)
        assert f"{SHOP}revisions/{back}/serve/" in page.posts
    else:
        assert "Roll back" not in page.text


def test_every_revision_of_a_split_is_named_with_its_share(owner, mirror) -> None:
    mirror.put(SERVICES, serving(r1=1, r2=2, r3=50, r4=47))
    line = main_line(read(owner.get(SHOP)).text)
    assert re.findall(r"shop-0000\d \d+%", line)[:4] == [
        "shop-00003 50%",
        "shop-00004 47%",
        "shop-00002 2%",
        "shop-00001 1%",
    ]


def test_a_revision_that_is_not_ready_is_no_way_back(owner, mirror) -> None:
    broken = factories.revision(number=3)
    broken["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "ExitCode1"}]
    mirror.put(REVISIONS, broken)
    mirror.put(SERVICES, serving(r4=100))
    assert leads_back_to(read(owner.get(SHOP)).text, "shop-00002")


def test_rolling_back_takes_two_presses_and_restores_the_split_of_before(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    split = {"rows": "2", "name-0": f"{shown.name}-00002", "percent-0": "25", "name-1": f"{shown.name}-00001"}
    press(shown, shown.client.post(f"{shown.path}traffic/", {**split, "percent-1": "75"}))
    page = shown.client.get(shown.path)
    assert leads_back_to(read(page).text, f"{shown.name}-00001"), "the change gave the newest less"
    press(shown, shown.client.post(f"{shown.path}traffic/", {**split, "percent-0": "90", "percent-1": "10"}))
    page = shown.client.get(shown.path)
    assert leads_back_to(read(page).text, f"25% {shown.name}-00002, 75% {shown.name}-00001")
    last = Operation.objects.first()
    assert f"/operations/{last.id}/rollback/" in read(page).posts
    press(shown, shown.client.post(f"/operations/{last.id}/rollback/"))
    assert "25% web" in read(shown.client.get("/")).text
    assert leads_back_to(read(shown.client.get(shown.path)).text, f"{shown.name}-00001"), "not forward again"


def test_it_says_who_deployed_what_serves_and_when(shown: Shown) -> None:
    press(shown, shown.set_target("Second"))
    line = main_line(read(shown.client.get(shown.path)).text)
    assert f"{shown.name}-00002 100% ·" in line
    assert "administrator · via console" in line


@pytest.mark.parametrize(
    ("shares", "is_said"), [({"r4": 100}, False), ({"r3": 90, "r4": 10}, True), ({"r3": 100}, True)]
)
def test_the_configuration_says_where_it_is_not_what_serves_all_traffic(owner, mirror, shares, is_said) -> None:
    raw = serving(**shares)
    raw["status"] |= {"latestCreatedRevisionName": "shop-00004"}
    mirror.put(SERVICES, raw)
    configuration = read(owner.get(SHOP)).text.partition("Configuration ")[2]
    assert ("The newest settings. Not all of the traffic is served with them." in configuration) is is_said


def test_a_service_that_a_person_created_here_names_them_and_not_the_consoles_account(shown: Shown) -> None:
    """The cluster's stamp has the console's account: to people it would be somebody else who created it."""
    name = f"{shown.name}-made"
    form = {"place": "box/default", "name": name, "image": "gcr.io/knative-samples/helloworld-go"}
    press(shown, shown.client.post("/services/new/", form))
    shown.mirror.put(SERVICES, shown.world.get(name))
    details = read(shown.client.get(f"/services/box/default/{name}/")).text.partition("Latest ready")[2]
    assert re.search(r"Created \S+ · administrator · via console", details)
    elsewhere = read(shown.client.get(shown.path)).text.partition("Latest ready")[2]
    assert "via console" not in elsewhere.partition("Last change")[0]


def test_a_revision_is_in_one_row_and_traffic_comes_first(owner, mirror) -> None:
    for number in range(29, 60):
        raw = factories.revision(number=9)
        raw["metadata"] |= {"name": f"shop-{number:05}", "uid": f"uid-{number}"}
        raw["metadata"]["labels"] |= {"serving.knative.dev/configurationGeneration": str(number)}
        mirror.put(REVISIONS, raw)
    page = markup(owner.get(SHOP))
    names = rows(page)
    assert names[:2] == ["shop-00003", "shop-00004"]
    assert names[2:] == [f"shop-{number:05}" for number in range(59, 55, -1)]
    assert re.search(r"All \d+ revisions", page)
    assert page.count('class="share-bar"') == 1


def test_an_operation_under_way_is_shown_with_what_it_waits_for(shown: Shown) -> None:
    shown.set_target("Second")
    shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    operation = Operation.objects.get()
    page = read(shown.client.get(shown.path))
    assert f"/operations/{operation.id}/" in page.links
    assert "Queued" in page.text
    operation.phases = {"accepted": 0.1, "revision-created": 0.2}
    operation.save()
    text = read(shown.client.get(shown.path)).text
    assert "2 of 7 steps done · next: Image resolved" in text


def test_a_failing_newest_revision_offers_to_keep_the_traffic_where_it_is(owner, mirror) -> None:
    crash(mirror)
    raw = failed("RevisionFailed", "Container failed", latestCreatedRevisionName="shop-00005")
    raw["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
    raw["status"]["traffic"] = [{"revisionName": "shop-00004", "percent": 100, "latestRevision": True}]
    mirror.put(SERVICES, raw)
    page = read(owner.get(SHOP))
    banner = page.text.partition("Current traffic")[0]
    assert "Keep traffic on shop-00004" in banner
    assert "Roll back" not in banner
    assert f"{SHOP}revisions/shop-00004/serve/" in page.posts


def test_a_serving_revision_that_fails_offers_the_way_back(owner, mirror) -> None:
    crash(mirror)
    raw = failed("RevisionFailed", "Container failed", latestCreatedRevisionName="shop-00005")
    raw["status"]["traffic"] = [{"revisionName": "shop-00005", "percent": 100}]
    mirror.put(SERVICES, raw)
    assert "Roll back to shop-00004" in read(owner.get(SHOP)).text.partition("Current traffic")[0]


def test_the_pods_say_what_they_wait_for_and_nothing_that_a_container_printed(owner, mirror) -> None:
    crash(mirror)
    text = read(owner.get(SHOP)).text
    assert "shop-00005-deployment-a-b" in text.partition("Pods")[2]
    warnings = text.partition("Events (warnings)")[2].partition("Conditions")[0]
    assert "CrashLoopBackOff back-off" in warnings
    assert "Error (3)" in warnings
    assert "seats" not in warnings, "the container's own words may hold values"


def test_without_pods_it_is_scaled_to_zero_only_where_it_works(owner, mirror) -> None:
    assert "No pods: scaled to zero." in read(owner.get(SHOP)).text
    mirror.put(SERVICES, failed("RevisionFailed", "exceeded quota"))
    text = read(owner.get(SHOP)).text
    assert "scaled to zero. The next" not in text
    assert "Events (warnings)" not in text, "there is none"


def test_replicas_are_one_number_unless_more_are_wanted_and_unknown_is_not_zero(owner, mirror) -> None:
    told = {4: {"actualReplicas": 2, "desiredReplicas": 2}, 3: {"actualReplicas": 1, "desiredReplicas": 5}}
    for number, status in told.items():
        revision = factories.revision(number=number)
        revision["status"] |= status
        mirror.put(REVISIONS, revision)
    silent = factories.revision(number=2)
    silent["status"] = {name: value for name, value in silent["status"].items() if not name.endswith("Replicas")}
    mirror.put(REVISIONS, silent)
    for page in (SHOP, f"{SHOP}revisions/"):
        cells = re.findall(r'data-label="Replicas"[^>]*>(.*?)</td>', owner.get(page).content.decode(), re.DOTALL)
        assert sorted(re.sub(r"<[^>]*>|\s", "", cell) for cell in cells) == ["0", "1/5", "2", "unknown"], page


def test_a_limit_of_zero_is_no_limit_wherever_it_is_told(owner, mirror) -> None:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containerConcurrency"] = 0
    mirror.put(SERVICES, raw)
    revision = factories.revision()
    revision["spec"]["containerConcurrency"] = 0
    mirror.put(REVISIONS, revision)
    for page in (SHOP, f"{SHOP}revisions/shop-00004/"):
        assert "Concurrency limit no limit" in read(owner.get(page)).text, page


def test_starting_pods_are_no_warning(owner, mirror) -> None:
    mirror.put(PODS, pod({"waiting": {"reason": "ContainerCreating"}}))
    assert "Events (warnings)" not in read(owner.get(SHOP)).text


def test_the_configuration_names_variables_and_never_their_values(owner, client, people) -> None:
    page = read(owner.get(SHOP))
    part = page.text.partition("Configuration")[2]
    for words in ("TARGET", "PASSWORD", "DB Secret db/password", "all of Secret shop-env", "CPU request 100m"):
        assert words in part, words
    assert "/etc/shop ← ConfigMap shop-config" in part
    assert "Min scale 1" in part
    assert "Concurrency limit 20" in part
    assert factories.SECRET_VALUE not in page.text
    assert f"{SHOP}deploy/?section=env&container=app" in page.links
    assert f"{SHOP}deploy/?section=env&container=app&edit=TARGET" in page.links
    client.force_login(people["viewer"])
    assert not [link for link in read(client.get(SHOP)).links if "/deploy/" in link]


def test_conditions_are_one_line_while_all_are_fine(owner, mirror) -> None:
    assert '<details id="conditions">' in markup(owner.get(SHOP))
    assert "All 3 conditions OK" in read(owner.get(SHOP)).text
    mirror.put(SERVICES, failed("RevisionFailed", "x"))
    assert '<details id="conditions" open>' in markup(owner.get(SHOP))


def test_two_ticked_revisions_are_compared_the_newer_one_with_the_older(owner) -> None:
    address = f"{SHOP}revisions/?compare=shop-00002&compare=shop-00004"
    assert owner.get(address)["Location"] == f"{SHOP}revisions/shop-00004/?with=shop-00002#compare"


def test_comparing_with_nothing_ticked_sends_what_the_page_can_answer(owner) -> None:
    form = markup(owner.get(f"{SHOP}revisions/")).partition('id="compare"')[2].partition("</form>")[0]
    assert '<button class="btn btn-secondary" name="compare" value="">' in form, "else the page just comes again"


@pytest.mark.parametrize("query", ["compare=shop-00002", "compare=", "compare=shop-00001&compare=other-00002"])
def test_a_number_of_ticks_other_than_two_is_told(owner, query: str) -> None:
    page = owner.get(f"{SHOP}revisions/?{query}")
    assert "Tick two revisions to compare them." in read(page).text
    assert 'name="compare" value="shop-00004" form="compare"' in markup(page)


def test_the_list_of_revisions_begins_with_what_has_traffic(owner) -> None:
    assert rows(markup(owner.get(f"{SHOP}revisions/"))) == [f"shop-{number:05}" for number in (3, 4, 2, 1)]
    newest = markup(owner.get(f"{SHOP}revisions/?sort=-generation"))
    assert rows(newest) == [f"shop-{number:05}" for number in (4, 3, 2, 1)]
