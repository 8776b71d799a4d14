"""What a list costs a browser: its first view, and an open page at 50 changes a second in the cluster.

    python -m tests.bench.browser [--minutes 10]

The first view is that of an empty cache: bytes as they came over the network, and the browser's own first contentful
paint. The open page's figures are Chromium's own (Performance.getMetrics), after a garbage collection where they are
of memory: TaskDuration is the time in which its main thread worked. The shared worker that holds the event stream is
apart from it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.bench import figures
from tests.bench.consoles import Bench, all_services, changing, console_of, shown_services
from tests.bench.figures import Figure, Options, at_most, median
from tests.bench.stream_backends import COOKIE
from tests.browser.conftest import CHROMIUM, QUIET

SERVICES = 1000
RATE = 50  # changes a second
TARGET_MINUTES = 10.0
SETTLE_SECONDS = 5.0  # until what the page fetches after its start is there
LIST = "[id^=row-]"


@dataclass(frozen=True, slots=True)
class FirstView:
    """Bytes of the first view of the list, and milliseconds until something is painted."""

    pages: int
    static: int
    paint: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of one page at one time."""

    busy: float  # seconds of its main thread
    heap: float  # bytes
    nodes: int
    at: float  # seconds


@contextmanager
def opened(browser: Browser, bench: Bench, path: str = "") -> Iterator[Page]:
    """Open the address in a context with an empty cache, signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": bench.sessions[0], "url": bench.at.url}])
    page = context.new_page()
    if path:
        page.goto(bench.at.url + path)
        page.wait_for_selector(LIST)
    try:
        yield page
    finally:
        context.close()


def first_view(browser: Browser, bench: Bench) -> FirstView:
    with opened(browser, bench) as page:
        sizes: dict[str, int] = {}
        addresses: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.on(
            "Network.requestWillBeSent", lambda sent: addresses.update({sent["requestId"]: sent["request"]["url"]})
        )
        session.on("Network.loadingFinished", lambda done: sizes.update({done["requestId"]: done["encodedDataLength"]}))
        session.send("Network.enable")
        page.goto(bench.at.url + "/")
        page.wait_for_selector(LIST)
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        page.wait_for_function(paint)
        milliseconds = float(page.evaluate(paint))
        page.wait_for_timeout(SETTLE_SECONDS * 1000)  # what it fetches once more counts too
        of_static = sum(size for key, size in sizes.items() if "/static/" in addresses[key])
        return FirstView(int(sum(sizes.values()) - of_static), int(of_static), milliseconds)


def metrics(session: CDPSession) -> Metrics:
    session.send("HeapProfiler.collectGarbage")
    found: dict[str, Any] = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return Metrics(found["TaskDuration"], found["JSHeapUsedSize"], found["Nodes"], time.monotonic())


def open_page(browser: Browser, bench: Bench, minutes: float, services: list[str], what: str) -> Iterator[Figure]:
    """Leave the list open while these services change; its main thread, and its growth in the second half."""
    with opened(browser, bench, "/") as page, changing(bench.box, RATE, services):
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        begun = metrics(session)
        page.wait_for_timeout(minutes * 30_000)
        half = metrics(session)
        page.wait_for_timeout(minutes * 30_000)
        end = metrics(session)
    note = f"{minutes:g} minutes" + (f" instead of {TARGET_MINUTES:g}" if minutes < TARGET_MINUTES else "")
    busy = (end.busy - begun.busy) / (end.at - begun.at) * 100
    yield Figure(f"main thread of an open list, {RATE} changes a second {what}", busy, "%", at_most(5), note)
    grown = {"heap": (end.heap, half.heap), "nodes": (end.nodes, half.nodes)}
    for name, (last, middle) in grown.items():
        growth = (last / middle - 1) * 100
        yield Figure(f"growth of its {name} in the second half, {what}", growth, "%", at_most(1), note)


def measure(options: Options) -> Iterator[Figure]:
    minutes = options.duration(1.0, quick=0.2)
    with console_of(SERVICES) as bench, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        first_view(browser, bench)  # fills the server's caches, not the browser's
        views = [first_view(browser, bench) for _ in range(options.rounds())]
        yield median(
            "first view of the list, bytes without static files", [one.pages / 1000 for one in views], "KB", at_most(60)
        )
        whole = [(one.pages + one.static) / 1000 for one in views]
        yield median("first view of the list, bytes with static files", whole, "KB", at_most(200))
        yield median("first contentful paint, empty cache", [one.paint for one in views], "ms", at_most(300))
        yield from open_page(browser, bench, minutes, all_services(bench.box), "in the cluster")
        if not options.is_quick:
            shown = shown_services(bench)
            yield from open_page(browser, bench, minutes / 2, shown, "on the rows shown")
        browser.close()


if __name__ == "__main__":
    figures.main(measure)
