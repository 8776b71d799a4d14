"""What waits for approval, as it is pushed: the number in the navigation of every page, and the rows of its page."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team, User
from console.operations.announce import tell_of_approvals
from console.operations.models import Operation
from console.operations.models.protection import Approval
from console.operations.models.statuses import Status
from console.web.live.parts import Parts
from console.web.live.viewers import PartAudience
from console.web.parts import registry
from console.web.topics import PartTopic, parsed, topic_of_part
from tests.web.test_live_parts import AT, operation, shown
from tests.web.test_live_rows import Browser
from tests.web.test_stream import in_a_loop


def approver(name: str) -> User:
    """Somebody who may do everything on every service."""
    user = User.objects.create_user(name)
    team = Team.objects.get_or_create(name="approvers")[0]
    Grant.objects.get_or_create(team=team, role=Role.objects.get(name="owner"))
    Membership.objects.create(user=user, team=team)
    return user


def request(author: User | None = None) -> Operation:
    """A change that waits, of its author."""
    found = operation(Status.WAITING)
    found.expires_at, found.user = timezone.now() + timedelta(hours=1), author
    found.save()
    Approval.objects.create(operation=found)
    return found


def told(parts: Parts, name: str, *people: Any) -> list[bytes]:
    """What each is sent after something began or ended to wait."""
    topic = parsed(topic_of_part(name, ""))
    assert isinstance(topic, PartTopic)
    rights = {person: rights_of(person) for person in people}
    audiences = {PartAudience(topic, rights[one].key, frozenset(), one.pk): rights[one] for one in people}
    parts.hear({topic}, (), all_differ=True)
    parts.made_at.clear()
    found = parts.told(audiences, AT)
    return [found[audience] for audience in audiences]


def number(frame: bytes) -> str:
    found = re.search(r"\d+", re.sub("<[^>]*>", "", shown(frame)["html"][""]))
    return found[0] if found else ""


def test_the_number_is_sent_to_who_may_decide_and_leaves_out_ones_own_changes(mirror, people) -> None:
    ann, bob = approver("ann"), approver("bob")
    request(ann)
    request()
    of_ann, of_bob, of_viewer = told(Parts(), "waiting", ann, bob, people["viewer"])
    assert (number(of_ann), number(of_bob)) == ("1", "2")
    assert of_viewer.startswith(b"event: gone\n")


def test_a_number_that_is_as_it_was_before_is_sent_again(mirror, db) -> None:
    """The page shows another one by then."""
    ann, parts = approver("ann"), Parts()
    found = [number(*told(parts, "waiting", ann))]
    waiting = request()
    found.append(number(*told(parts, "waiting", ann)))
    waiting.status = Status.DECLINED
    waiting.save()
    found.append(number(*told(parts, "waiting", ann)))
    assert found == ["", "1", ""]


@pytest.mark.parametrize("name", ["waiting", "approvals"])
def test_a_hundred_people_with_the_same_rights_are_one_reading_and_one_page(
    name: str, mirror, db, monkeypatch, django_assert_max_num_queries
) -> None:
    people = [approver(f"person-{number}") for number in range(100)]
    request()
    made: list[Any] = []
    make = registry.made
    monkeypatch.setattr(registry, "made", lambda *given: made.append(given) or make(*given))
    with django_assert_max_num_queries(100 + 5):  # the rights of each, which the hub has already
        frames = told(Parts(), name, *people)
    assert len(made) == 1
    assert len(set(frames)) == 1


def test_the_rows_are_those_that_each_may_decide_and_see(mirror, people) -> None:
    ann = approver("ann")
    waiting = request(ann)
    by_ann, by_viewer, by_stranger = told(Parts(), "approvals", ann, people["viewer"], people["stranger"])
    path = f"/operations/{waiting.id}/"
    assert path in json.dumps(shown(by_viewer))
    assert "others" in shown(by_ann)["html"][""]
    assert path not in json.dumps(shown(by_stranger))


def test_every_page_of_who_may_approve_names_the_number_that_it_is_sent(mirror, people, client) -> None:
    client.force_login(approver("ann"))
    request()
    for path in ("/", "/teams/", "/approvals/"):
        page = client.get(path).content.decode()
        topic = re.search('data-waiting="([^"]+)"', page)
        assert topic, path
        assert parsed(unescape(topic[1])).text == topic_of_part("waiting", "")
        assert ">1<span" in page, path
    assert client.get("/approvals/waiting/").content.decode().count('class="count"') == 1
    client.force_login(people["viewer"])
    assert "data-waiting" not in client.get("/").content.decode()


@in_a_loop
async def test_a_request_that_comes_and_is_decided_is_pushed_to_an_open_page(mirror, people) -> None:
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(approver)("ann"))
    browser = Browser(client, topic_of_part("waiting", ""), "")
    async with browser.listening() as events:
        waiting = await sync_to_async(request)()
        await sync_to_async(tell_of_approvals)()
        await browser.until(events, "part", "count")
        await Operation.objects.filter(id=waiting.id).aupdate(status=Status.DECLINED)
        await sync_to_async(tell_of_approvals)()
        await browser.until(events, "part")
    sent = [event.lines[2] for event in browser.heard if event.name == "part"]
    assert ["count" in one for one in sent] == [False, True, False]


def test_what_is_left_to_approve_is_counted_down_on_an_open_page(client, mirror, people) -> None:
    """A text such as "59 minutes" would be as old as the page."""
    waiting = request()
    client.force_login(people["owner"])
    for path in ("/approvals/", f"/operations/{waiting.id}/"):
        page = client.get(path).content.decode()
        moment = re.escape(waiting.expires_at.isoformat())
        assert re.search(rf'<time datetime="{moment}" title="[^"]+ UTC" data-age="left">\d+m</time>', page), path
