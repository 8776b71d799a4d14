"""The page of an operation: how far it came, one thing to do next, and its output, which grows by lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from console.access.permissions import Permission
from console.knative import changes
from console.knative.causes import Cause, Code
from console.knative.changes import EnvEntry, SetEnv
from console.knative.objects import Service
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import TERMINAL, Status
from console.sealing import seal
from console.web.next_steps import offer
from tests import factories
from tests.web.pages import read

EVERYTHING = frozenset(Permission)
CHANGE = SetEnv("app", (EnvEntry("TARGET", "Second"),))


def operation(status: str, **facts: Any) -> Operation:
    return Operation(cluster="box", namespace="default", name="shop", kind="SetEnv", status=status, **facts)


def primary(found: Operation, *may: str, permissions=EVERYTHING) -> str:
    step = offer(found, may, permissions).primary
    return step.name if step else ""


@pytest.mark.parametrize(
    ("status", "may", "name"),
    [
        ("succeeded", [], "service"),
        ("unchanged", ["rollback"], "service"),
        ("succeeded-not-serving", ["rollback"], "route"),
        ("failed", ["retry", "rollback"], "fix"),
        ("timed-out", ["retry"], "fix"),
        ("conflicted", ["retry"], "fix"),
        ("expired", ["retry"], "retry"),
        ("stopped", [], "service"),
        ("superseded", ["retry"], "service"),
        ("following", ["cancel"], ""),
        ("waiting", [], ""),
    ],
)
def test_what_comes_first_follows_from_the_outcome(status, may, name) -> None:
    assert primary(operation(status, revision="shop-00005"), *may) == name


def test_every_outcome_has_exactly_one_thing_to_do_first() -> None:
    for status in TERMINAL:
        found = offer(operation(status.value), ["retry", "rollback"], EVERYTHING)
        assert found.primary is not None, status
        assert found.primary not in found.others


def test_a_failure_is_mended_where_its_cause_is() -> None:
    failed = operation("failed", cause=Cause(Code.IMAGE_MISSING, "not found").to_json())
    step = offer(failed, ["retry"], EVERYTHING).primary
    assert step is not None
    assert step.url.endswith("/image/")


def test_who_may_not_deploy_is_not_led_to_a_form() -> None:
    assert primary(operation("failed"), permissions={Permission.VIEW}) == "service"
    assert primary(operation("succeeded-not-serving"), permissions={Permission.VIEW}) == "service"


def test_what_made_it_give_way_is_one_press_away() -> None:
    other = "8d8f8d5e-0000-4000-8000-000000000000"
    cause = {"code": Code.SUPERSEDED.value, "facts": {"operation": other}}
    step = offer(operation("superseded", cause=cause), ["retry"], EVERYTHING).primary
    assert step is not None
    assert other in step.url


def test_a_roll_back_is_not_offered_where_the_split_is_still_the_one_from_before() -> None:
    seen = Service(factories.service())
    failed = operation("failed", sealed_seen=seal(dict(seen.raw)))
    moved = factories.service()
    moved["spec"]["traffic"] = [{"revisionName": "shop-00004", "percent": 100}]
    following = factories.service()
    following["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
    of_following = operation("failed", sealed_seen=seal(following))
    assert not _offers_roll_back(failed, seen)
    assert _offers_roll_back(failed, Service(moved))
    assert _offers_roll_back(of_following, Service(following)), "it pins the service to what served"


def _offers_roll_back(found: Operation, now: Service) -> bool:
    given = offer(found, ["rollback"], EVERYTHING, now)
    return "rollback" in {step.name for step in (given.primary, *given.others) if step}


def test_a_deleted_service_leads_to_the_list() -> None:
    gone = Operation(cluster="box", namespace="default", name="shop", kind="DeleteService", status="succeeded")
    assert primary(gone) == "services"


@pytest.fixture
def shown(client, mirror, people):
    """The page's markup for an operation that ended so, as the deployer sees it."""

    def show(status: str, change: changes.Change = CHANGE, **facts: Any) -> str:
        seen = Service(factories.service())
        made = Operation.objects.create(
            cluster="box", namespace="default", name="shop", uid=seen.uid, kind="SetEnv", actor="dora", status=status,
            sealed_change=seal(changes.dump(change)), sealed_seen=seal(dict(seen.raw)), makes_revision=True,
            is_written=True, written_at=timezone.now(), **facts,
        )  # fmt: skip
        TimelineLine.objects.create(operation=made, sequence=1, elapsed=0.1, text="Ready to serve.")
        client.force_login(people["deployer"])
        return str(client.get(f"/operations/{made.id}/").content.decode())

    return show


def test_the_output_is_a_log_whose_lines_keep_their_place(shown) -> None:
    page = shown("following")
    assert 'role="log"' in page
    assert 'id="line-1"' in page


def test_the_times_of_the_output_do_not_lie_before_the_approval(shown) -> None:
    """The seconds of an approved operation count from its approval, so the moments beside them do too."""
    asked, approved = (datetime(2026, 11, 26, hour, 13, 12, tzinfo=UTC) for hour in (9, 11))
    times = {"submitted_at": asked, "released_at": approved, "finished_at": approved + timedelta(seconds=3)}
    output = shown("failed", **times).partition('id="timeline"')[2].partition("</table>")[0]
    assert "2026-11-26 11:13:12 UTC" in output
    assert "2026-11-26 09:13:12 UTC" not in output


@pytest.mark.parametrize(("status", "is_open"), [("following", True), ("failed", True), ("succeeded", False)])
def test_the_output_is_folded_once_all_went_well(shown, status, is_open) -> None:
    assert ('id="output" open' in shown(status, finished_at=timezone.now())) is is_open


def test_each_page_of_an_ended_operation_has_one_primary_button(shown) -> None:
    for status in (Status.SUCCEEDED, Status.NOT_SERVING, Status.FAILED, Status.CANCELLED):
        page = shown(status.value, finished_at=timezone.now(), revision="shop-00004")
        main = page.partition("<main")[2]
        assert main.count("btn-primary") == 1, status


def test_how_long_ago_is_not_told_like_a_duration(client, shown) -> None:
    shown("succeeded", finished_at=timezone.now())
    assert "0s ago" in read(client.get("/operations/")).text


def test_a_page_brings_the_words_in_which_its_ages_go_on(client, shown) -> None:
    shown("succeeded", finished_at=timezone.now())
    page = client.get("/operations/", headers={"accept-language": "zh-hans"}).content.decode()
    brought = json.loads(unescape(page.partition('data-ages="')[2].partition('"')[0]))
    assert (brought["ago"], brought["s"]) == ("%(age)s前", "%(count)s 秒")
    assert 'data-age="ago"' in page


def test_a_release_without_traffic_that_was_asked_for_is_a_success(client, shown) -> None:
    ended = {"finished_at": timezone.now(), "revision": "shop-00004"}
    asked = shown("succeeded-not-serving", cause={"code": "held-back"}, **ended)
    assert "note outcome note-ok" in asked
    assert "Deployed without traffic, as requested. The new revision is shop-00004." in asked
    assert "state-warning" not in asked.partition("<main")[2]
    listed = client.get("/operations/").content.decode()
    assert "Succeeded, 0% as requested" in listed
    assert "state-warning" not in listed.partition("<main")[2]
    pinned = shown("succeeded-not-serving", cause={"code": "not-serving"}, **ended)
    assert "note outcome note-warning" in pinned
    assert "Deployed, but the new revision shop-00004 gets 0% of the traffic." in pinned
    assert "state-warning" in client.get("/operations/").content.decode().partition("<main")[2]


def test_requests_are_offered_to_the_tag_of_a_revision_without_traffic() -> None:
    raw = factories.service()
    raw["status"]["traffic"] = [{"revisionName": "shop-00004", "percent": 0, "tag": "candidate", "url": "http://c"}]
    held_back = operation("succeeded-not-serving", revision="shop-00004", cause={"code": "held-back"})
    found = offer(held_back, [], EVERYTHING, Service(raw))
    assert [step.url for step in found.others if step.name == "access-test"] == [
        "/services/box/default/shop/test/?tag=candidate"
    ]
