"""Ten tabs of one browser on live pages: all load, all see a change, and they share one stream."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import METRICS_TOKEN, Visitor
from tests.browser.extremes import Cluster, services
from tests.console_process import RunningConsole
from tests.waiting import eventually

HELLO = "/services/sandbox/default/hello/"
PAGES = (
    "/",
    HELLO,
    f"{HELLO}revisions/",
    f"{HELLO}revisions/hello-00001/",
    "/operations/",
    "/services/sandbox/shop/cart/",
    HELLO,
    "/?namespace=default",
    f"{HELLO}revisions/",
    HELLO,
)


@pytest.fixture
def tabs(visitor: Visitor) -> list[Page]:
    visitor.sign_in("deployer")
    opened = []
    for path in PAGES:
        page = visitor.context.new_page()
        page.goto(visitor.base + path)
        opened.append(page)
    return opened


def streams(running: RunningConsole) -> int:
    """How many event streams the server holds open."""
    text = httpx.get(f"{running.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    found = re.search(r"^sluice_event_streams(?:\{.*\})? ([\d.]+)$", text, re.MULTILINE)
    assert found, text[:500]
    return int(float(found[1]))


def deploy(visitor: Visitor) -> None:
    """Give hello another image, from yet another tab."""
    page = visitor.page
    visitor.go(f"{HELLO}image/")
    page.fill("[name=image]", "gcr.io/knative-samples/helloworld-rust")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    page.locator("main button[form=apply]").click()
    page.wait_for_url(re.compile("/operations/"))


def test_ten_tabs_load_and_see_a_change_over_one_stream(
    visitor: Visitor, tabs: list[Page], running: RunningConsole
) -> None:
    for page in tabs:
        expect(page.locator("main")).to_be_visible()
    eventually(lambda: streams(running) == 1, message="not one stream for one browser")
    deploy(visitor)
    for page in tabs:
        if HELLO in page.url and not page.url.endswith("hello-00001/"):
            expect(page.locator("main")).to_contain_text("hello-00002")
    eventually(lambda: streams(running) == 1, message="not one stream for one browser")
    for page in tabs:
        page.close()
    visitor.page.goto("about:blank")
    eventually(lambda: streams(running) == 0, message="a stream that nobody listens to")


def latest_ready(cluster: Cluster) -> str:
    return str(cluster.ask("GET", f"{services('default')}/hello")["status"]["latestReadyRevisionName"])


def test_a_page_that_is_hidden_leaves_and_catches_up_when_it_is_seen_again(
    visitor: Visitor, running: RunningConsole
) -> None:
    visitor.context.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})")
    page = visitor.sign_in("viewer").go(HELLO).page
    eventually(lambda: streams(running) == 1, message="no stream")
    page.evaluate("isHidden = true; document.dispatchEvent(new Event('visibilitychange'))")
    eventually(lambda: streams(running) == 0, message="a stream for a page that nobody sees")
    note = {"spec": {"template": {"metadata": {"annotations": {"example.com/changed": "hidden"}}}}}
    cluster = Cluster(running)
    before = latest_ready(cluster)
    cluster.ask("PATCH", f"{services('default')}/hello", note)
    made = eventually(lambda: (now := latest_ready(cluster)) != before and now)
    expect(page.locator("main")).not_to_contain_text(made)
    page.evaluate("isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("main")).to_contain_text(made)
    eventually(lambda: streams(running) == 1, message="no stream for a page that is seen again")


def test_who_signs_in_after_another_in_the_same_browser_is_not_sent_what_that_person_sees(
    visitor: Visitor, running: RunningConsole
) -> None:
    """The other's tab is still open, and about the same; its stream ends up to half a minute after its session."""
    visitor.sign_in("admin").go("/operations/")
    eventually(lambda: streams(running) == 1, message="no stream")
    other = Visitor(visitor.context, visitor.base, visitor.context.new_page())
    other.go("/").sign_out().sign_in("viewer").go("/operations/")
    eventually(lambda: streams(running) == 2, message="one stream for two people")


def test_what_a_page_asks_by_itself_it_does_not_ask_while_it_is_hidden(visitor: Visitor) -> None:
    """Of a log that is followed, which asks in the same way, each look is a request to the API server."""
    path = "/clusters/"
    visitor.context.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})")
    page = visitor.sign_in("admin").page
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visitor.go(path)
    with page.expect_response(visitor.base + path):  # "networkidle" never comes where a page has the worker of a stream
        page.clock.run_for(6_000)
    page.evaluate("isHidden = true")
    asked.clear()
    page.clock.run_for(60_000)
    assert visitor.base + path not in asked
    page.evaluate("isHidden = false")
    with page.expect_request(visitor.base + path):
        page.clock.run_for(6_000)


def test_a_page_without_shared_workers_has_a_stream_of_its_own(visitor: Visitor, running: RunningConsole) -> None:
    visitor.context.add_init_script("delete window.SharedWorker")
    visitor.sign_in("viewer").go(HELLO)
    eventually(lambda: streams(running) == 1, message="not one stream for one page")
