"""Operations and approvals in pages by cursor: the address holds filter and place, and nothing new shifts a page."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from console.access.models import User
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.sealing import seal
from console.web.windows import Cursor
from tests import factories
from tests.web.pages import markup, read

PAGE = 50
NOW = timezone.now()


def operation(number: int, **fields) -> Operation:
    """The larger the number, the older it is, and the later it expires; three share each moment."""
    moment = timedelta(seconds=number // 3)
    facts = {"cluster": "box", "namespace": "default", "name": "shop", "kind": "SplitTraffic", "actor": f"p{number}"}
    facts |= {"status": Status.SUCCEEDED, "submitted_at": NOW - moment, "expires_at": NOW + timedelta(hours=1) + moment}
    sealed = {"sealed_change": seal({}), "sealed_seen": seal(factories.service())}
    return Operation.objects.create(**(facts | sealed | fields))


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["administrator"])
    return client


def shown(client, address: str) -> list[str]:
    """The ids on the page in their order."""
    return re.findall(r'href="/operations/([0-9a-f-]{36})/"', markup(client.get(address)))


def link(client, address: str, rel: str) -> str:
    found = re.search(rf'<a href="(\?[^"]+)" rel="{rel}"', markup(client.get(address)))
    return found[1].replace("&amp;", "&") if found else ""


def all_pages(client, path: str, query: str = "") -> list[list[str]]:
    """Each page from the first to the last."""
    pages = [shown(client, path + query)]
    while query := link(client, path + query, "next"):
        pages.append(shown(client, path + query))
    return pages


def test_pages_show_each_operation_once_newest_first(owner) -> None:
    made = [operation(number) for number in range(2 * PAGE + 20)]
    pages = all_pages(owner, "/operations/")
    assert [len(page) for page in pages] == [PAGE, PAGE, 20]
    newest_first = sorted(made, key=lambda one: (one.submitted_at, one.id), reverse=True)
    assert [id for page in pages for id in page] == [str(one.id) for one in newest_first]


def test_what_comes_meanwhile_shifts_no_page_and_is_found_on_the_way_back(owner) -> None:
    for number in range(2 * PAGE):
        operation(number)
    first, second = all_pages(owner, "/operations/")
    following = link(owner, "/operations/", "next")
    new = [str(operation(0, submitted_at=NOW + timedelta(seconds=number)).id) for number in (1, 2, 3)]
    assert shown(owner, f"/operations/{following}") == second
    assert shown(owner, f"/operations/{link(owner, f'/operations/{following}', 'prev')}") == first
    assert shown(owner, "/operations/")[:3] == new[::-1]


def test_the_way_back_ends_on_a_whole_first_page(owner) -> None:
    for number in range(PAGE + 10):
        operation(number)
    following = link(owner, "/operations/", "next")
    back = f"/operations/{link(owner, f'/operations/{following}', 'prev')}"
    Operation.objects.filter(id__in=shown(owner, "/operations/")[:5]).delete()
    assert shown(owner, back) == shown(owner, "/operations/")
    assert len(shown(owner, back)) == PAGE
    assert not link(owner, back, "prev")


def test_links_keep_the_filter_and_drop_the_other_place(owner) -> None:
    for number in range(2 * PAGE + 1):
        operation(number, status=Status.FAILED)
        operation(number)
    second = link(owner, "/operations/?status=failed", "next")
    assert second.startswith("?status=failed&before=")
    assert "after" not in link(owner, f"/operations/{second}", "next")
    assert "before" not in link(owner, f"/operations/{second}", "prev")
    assert sum(map(len, all_pages(owner, "/operations/", "?status=failed"))) == 2 * PAGE + 1


@pytest.mark.parametrize("cursor", ["", "1", "1.x", "x.y", "-1.0", "9" * 30, f"{'9' * 18}.{'0' * 32}", "²." + "0" * 32])
def test_an_address_that_names_no_row_leads_to_the_first_page(owner, cursor: str) -> None:
    made = operation(1)
    for name in ("before", "after"):
        assert shown(owner, f"/operations/?{name}={cursor}") == [str(made.id)]


def test_a_cursor_is_read_back_as_it_was_written() -> None:
    at = Cursor(NOW, uuid.uuid4())
    assert Cursor.parsed(str(at)) == at


def test_requests_for_approval_are_in_two_lists_with_a_place_each(owner, people) -> None:
    """What the person asked for themselves waits for others."""
    me = User.objects.get(pk=people["administrator"].pk)
    for number in range(PAGE + 10):
        operation(number, status=Status.WAITING, user=people["owner"])
        operation(number, status=Status.WAITING, user=me)
    text = read(owner.get("/approvals/")).text
    assert f"{PAGE + 10} waiting for you" in text
    ids = shown(owner, "/approvals/")
    assert len(ids) == 2 * PAGE
    nexts = re.findall(r'<a href="(\?[^"]+)" rel="next"', markup(owner.get("/approvals/")))
    mine, others = (shown(owner, f"/approvals/{query.replace('&amp;', '&')}") for query in nexts)
    assert [len(mine), len(others)] == [10 + PAGE, PAGE + 10]
    assert mine[10:] == ids[PAGE:]
    assert others[:PAGE] == ids[:PAGE]
    assert len({*ids, *mine, *others}) == 2 * (PAGE + 10)
