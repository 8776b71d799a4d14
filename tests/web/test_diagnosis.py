"""A service that does not work says why once, in the words of an operation's page, and what can be done."""

from __future__ import annotations

from typing import Any

import pytest

from console.cluster.resources import PODS, REVISIONS, ROUTES, SERVICES
from tests import factories
from tests.web.pages import markup, read

SHOP = "/services/box/default/shop/"
MISSING = 'Revision "shop-00009" referenced in traffic not found.'
CRASHED = 'Revision "shop-00005" failed with message: Container failed with: exceeded quota: of seats.'


def failed(reason: str, message: str, *, part: str = "ConfigurationsReady", status: str = "False", **more: Any) -> Any:
    """The service shop whose newest revision, or route, does not work."""
    raw = factories.service()
    for condition in raw["status"]["conditions"]:
        if condition["type"] in ("Ready", part):
            condition |= {"status": status, "reason": reason, "message": message}
    raw["status"] |= more
    return raw


def pod(state: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    status = {"name": "app", "image": "registry.example.com/shop:2", "state": state, "lastState": last or {}}
    labels = {"serving.knative.dev/service": "shop", "serving.knative.dev/revision": "shop-00005"}
    metadata = {"name": "shop-00005-deployment-a-b", "namespace": "default", "labels": labels, "uid": "pod"}
    return {"metadata": metadata, "status": {"phase": "Running", "containerStatuses": [status]}}


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["administrator"])
    return client


def crash(mirror) -> None:
    mirror.put(SERVICES, failed("RevisionFailed", CRASHED, latestCreatedRevisionName="shop-00005"))
    newest = factories.revision(number=5)
    newest["status"]["conditions"] = [
        {
            "type": "Ready",
            "status": "False",
            "reason": "ExitCode3",
            "message": "Container failed with: exceeded quota: x",
        }
    ]
    mirror.put(REVISIONS, newest)
    ended = {"reason": "Error", "exitCode": 3, "message": "exceeded quota: of seats"}
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    mirror.put(PODS, pod(waits, {"terminated": ended}))


def test_the_cause_of_a_failing_service_is_told_once_with_what_to_do(owner, mirror) -> None:
    crash(mirror)
    page = owner.get(SHOP)
    text, cause = read(page).text, read(page).text.partition("Current traffic")[0]
    assert text.count("The container keeps crashing (exit code 3).") == 1
    for step in ("Logs of shop-00005", "Edit the variables", "Fix the image"):
        assert step in cause
    assert "RevisionFailed" not in cause
    assert text.count("RevisionFailed") == 1, "in the table of conditions, and there once"
    assert "namespace's quota" not in cause, "what a container printed is no cause, whatever words it holds"


def test_what_the_ready_condition_says_of_a_crash_is_beside_its_cause(owner, mirror) -> None:
    crash(mirror)
    banner = read(owner.get(SHOP)).text.partition("Current traffic")[0]
    assert f"Raw message {CRASHED}" in banner


def test_a_split_that_names_no_revision_is_told_once(owner, mirror) -> None:
    mirror.put(SERVICES, failed("RevisionMissing", MISSING, part="RoutesReady"))
    conditions = [{"type": "Ready", "status": "False", "reason": "RevisionMissing", "message": MISSING}]
    labels = {"serving.knative.dev/service": "shop"}
    route = {
        "metadata": {"name": "shop", "namespace": "default", "labels": labels},
        "status": {"conditions": conditions},
    }
    mirror.put(ROUTES, route)
    text = read(owner.get(SHOP)).text
    assert text.count("The traffic split refers to shop-00009, which does not exist. Change the split.") == 1
    assert text.count("RevisionMissing") == 1


def test_a_row_of_the_list_tells_the_cause_in_short(owner, mirror) -> None:
    crash(mirror)
    assert "container keeps crashing" in read(owner.get("/")).text
    mirror.put(SERVICES, failed("RevisionMissing", MISSING, part="RoutesReady"))
    assert "revision missing" in read(owner.get("/")).text


def test_steps_that_the_person_may_not_take_are_not_offered(client, mirror, people) -> None:
    crash(mirror)
    client.force_login(people["viewer"])
    page = read(client.get(SHOP))
    assert "The container keeps crashing (exit code 3)." in page.text
    assert f"{SHOP}env/" not in page.links


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"waiting": {"reason": "ContainerCreating"}}, ""),
        ({"running": {"startedAt": "2026-11-25T19:00:00Z"}}, ""),
        (
            {"waiting": {"reason": "ImagePullBackOff", "message": "x"}},
            "The image registry.example.com/shop:2 cannot be pulled.",
        ),
    ],
)
def test_what_only_begins_is_not_blamed_and_what_waits_in_vain_is_told_at_once(owner, mirror, state, words) -> None:
    more = {"latestCreatedRevisionName": "shop-00005"}
    mirror.put(SERVICES, failed("RevisionMissing", "Configuration is waiting", status="Unknown", **more))
    newest = factories.revision(number=5)
    newest["status"]["conditions"] = [{"type": "Ready", "status": "Unknown", "reason": "Deploying"}]
    mirror.put(REVISIONS, newest)
    mirror.put(PODS, pod(state))
    page = markup(owner.get(SHOP))
    assert ("note-error cause" in page) is bool(words)
    assert words in page


def test_a_service_that_works_has_no_cause(owner) -> None:
    assert "note-error cause" not in owner.get(SHOP).content.decode()


def test_the_page_of_a_failed_revision_says_why_and_leads_to_what_mends_it(owner, mirror) -> None:
    crash(mirror)
    page = read(owner.get(f"{SHOP}revisions/shop-00005/"))
    cause = page.text.partition("Pods")[0]
    assert page.text.count("The container keeps crashing (exit code 3).") == 1
    assert "Edit the variables" in cause
    assert "exceeded quota" not in cause, "what a container printed is in the table of conditions and in the log"


def test_an_old_failed_revision_says_why_without_steps_that_would_not_mend_it(owner, mirror) -> None:
    """The settings are those of the newest revision: who edits them changes nothing about an earlier one."""
    crash(mirror)
    old = factories.revision(number=2)
    missing = 'Unable to fetch image "registry.example.com/shop:gone": no such host'
    old["status"]["conditions"] = [
        {"type": "Ready", "status": "False", "reason": "ContainerMissing", "message": missing}
    ]
    mirror.put(REVISIONS, old)
    page = read(owner.get(f"{SHOP}revisions/shop-00002/"))
    assert "The image registry.example.com/shop:gone cannot be pulled." in page.text
    assert "Fix the image" not in page.text


def test_a_revision_that_works_or_just_begins_has_no_cause(owner, mirror) -> None:
    crash(mirror)
    assert "note-error cause" not in markup(owner.get(f"{SHOP}revisions/shop-00001/"))
    begins = factories.revision(number=5)
    begins["status"]["conditions"] = [{"type": "Ready", "status": "Unknown", "reason": "Deploying"}]
    mirror.put(REVISIONS, begins)
    mirror.put(PODS, pod({"waiting": {"reason": "ContainerCreating"}}))
    assert "note-error cause" not in markup(owner.get(f"{SHOP}revisions/shop-00005/"))
