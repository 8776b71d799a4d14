"""Menus, tabs and links offer what works: no role ever meets a refusal behind something that it was shown."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from django.db import transaction

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.audit.models import Entry
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.references import ServiceRef
from tests import factories
from tests.sweeps import sample, sweep
from tests.web.pages import Page, read
from tests.web.test_changes import Shown, shown
from tests.web.test_restart_and_scale import press

__all__ = ["shown"]

ROLES = ("viewer", "deployer", "releaser", "operator", "owner", "auditor", "administrator", "stranger", "nobody")
MAX_PAGES = 400
_NUMBERS = re.compile(r"/\d+/|[0-9a-f]{8}-[0-9a-f-]{27}")


def kind_of(address: str) -> str:
    """Pages of one kind are visited a few times only: entries of the log, operations, sorted lists."""
    parts = urlsplit(address)
    return _NUMBERS.sub("*", parts.path) + "?" + "&".join(sorted(re.findall(r"(\w+)=", parts.query)))


@dataclass
class Crawl:
    """What was found: the answer of each address with the page that offered it, and where buttons send to."""

    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    posts: dict[str, str] = field(default_factory=dict)


def crawl(client) -> Crawl:
    """Follow every link from the first page."""
    found = Crawl()
    answers = found.answers
    visits: dict[str, int] = {}
    waiting = deque([("/", "")])
    while waiting and len(answers) < MAX_PAGES:
        address, offered_by = waiting.popleft()
        kind = kind_of(address)
        if address in answers or visits.get(kind, 0) >= 3:
            continue
        visits[kind] = visits.get(kind, 0) + 1
        response = client.get(address, follow=True)
        answers[address] = (response.status_code, offered_by)
        if "text/html" not in response["Content-Type"]:
            continue
        page = read(response)
        found.posts |= {urljoin(address, post): address for post in page.posts}
        for link in links_of(page):
            target = urlsplit(urljoin(address, link))
            if not target.netloc and target.scheme == "":
                waiting.append((target._replace(fragment="").geturl(), address))
    return found


def links_of(page: Page) -> list[str]:
    return [link for link in page.links if link and not link.startswith(("#", "http:", "https:", "mailto:"))]


def press_and_undo(client, address: str) -> int:
    """Send an empty form; nothing of what it does stays, but the entry of a refusal."""
    with transaction.atomic():
        status: int = client.post(address).status_code
        transaction.set_rollback(status not in (403, 404))
    return status


@pytest.fixture
def lived_in(shown: Shown, people) -> Shown:
    """A service with a history: a change that succeeded, one that failed, a split with a tag."""
    shown.mirror.drop(SERVICES, factories.service())
    for number in (1, 2, 3, 4):  # a cluster deletes them with their service
        shown.mirror.drop(REVISIONS, factories.revision(number=number))
    press(shown, shown.set_target("canary-new"))
    press(shown, shown.client.post(f"{shown.path}image/", {"image": "example.com/shop/crash:1"}))
    rows = {"rows": "1", "name-0": f"{shown.name}-00001", "percent-0": "100", "tag-0": "old"}
    press(shown, shown.client.post(f"{shown.path}traffic/", rows))
    return shown


@sweep
@pytest.mark.parametrize("role", sample(ROLES, one_in=9))
def test_every_link_that_a_role_is_shown_works_for_it(lived_in: Shown, people, role: str) -> None:
    lived_in.client.force_login(people[role])
    found = crawl(lived_in.client)
    assert {address: answer for address, answer in found.answers.items() if answer[0] != 200} == {}
    assert len(found.answers) > 10
    pressed = {post: press_and_undo(lived_in.client, post) for post in found.posts if not post.startswith("/accounts/")}
    assert {post: (status, found.posts[post]) for post, status in pressed.items() if status in (403, 404)} == {}
    assert not Entry.objects.filter(action__endswith=".refused").exists(), "nobody was refused by pressing a link"


def test_viewers_of_a_service_read_its_history_and_no_value(lived_in: Shown, people) -> None:
    lived_in.client.force_login(people["viewer"])
    page = read(lived_in.client.get(f"{lived_in.path}history/"))
    for words in ("deploy.SetEnv", "deploy.SetImage", "traffic.SplitTraffic", "administrator", "TARGET"):
        assert words in page.text
    assert "canary" not in page.text
    assert not [link for link in page.links if link.startswith("/audit/")]
    assert f"{lived_in.path}history/" in read(lived_in.client.get(lived_in.path)).links


def test_a_long_history_is_read_page_by_page(lived_in: Shown) -> None:
    ref = ServiceRef("box", "default", lived_in.name)
    for number in range(60):
        audit.record("deploy.SetEnv", actor=Actor(None, f"person-{number}", "", ""), ref=ref, outcome=Outcome.REQUESTED)
    seen, address = [], f"{lived_in.path}history/"
    while address:
        page = read(lived_in.client.get(address))
        seen += re.findall(r"person-\d+", page.text)
        address = next((urljoin(address, link) for link in page.links if link.startswith("?before=")), "")
    assert seen == [f"person-{number}" for number in reversed(range(60))]
