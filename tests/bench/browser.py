"""What a list costs a browser: its first view, and an open page at 50 changes a second in the cluster.

    python -m tests.bench.browser [--minutes 10]

The first view is that of an empty cache: bytes as they came over the network, and the browser's own first contentful
paint. The open page's figures are Chromium's own (Performance.getMetrics), after a garbage collection where they are
of memory: TaskDuration is the time in which its main thread worked. The shared worker that holds the event stream is a
thread of its own, whose CPU time Linux tells. A tab cannot be put behind another without a screen: the page is told
that it is hidden, so that its scripts' cost is measured without what Chromium holds back by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.bench import figures
from tests.bench.consoles import Bench, all_services, changing, console_of, shown_services
from tests.bench.figures import Figure, Options, at_most, median
from tests.bench.stream_backends import COOKIE
from tests.browser.conftest import CHROMIUM, QUIET

SERVICES = 1000
RATE = 50  # changes a second
TARGET_MINUTES = 10.0  # longer is no other figure
ON_ROWS_SHOWN = 0.5  # of the minutes: all that changes is on the page, which settles it sooner
HIDDEN_SECONDS = 30.0
LEFT_SECONDS = 6.0  # in which a hidden page leaves the stream
SETTLE_SECONDS = 5.0  # until what the page fetches after its start is there
LIST = "[id^=row-]"
WORKER = "SharedWorker th"  # the name of its thread; Linux keeps 15 characters
HIDEABLE = "Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})"
HIDE = "isHidden => { window.isHidden = isHidden; document.dispatchEvent(new Event('visibilitychange')) }"
NEWEST = "() => [...document.querySelectorAll('[id^=row-] .under[title]')].map(one => one.title).join()"


@dataclass(frozen=True, slots=True)
class FirstView:
    """Bytes of the first view of the list, and milliseconds until something is painted."""

    pages: int
    static: int
    paint: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of one page at one time."""

    busy: float  # seconds of its main thread, with those in which other processes had its core
    cpu: float  # seconds without those
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


@dataclass(frozen=True, slots=True)
class Clocks:
    """Two sessions with a page: one counts what passes, the other what its main thread has of the processor."""

    passing: CDPSession
    processor: CDPSession


def clocks(page: Page) -> Clocks:
    found = Clocks(page.context.new_cdp_session(page), page.context.new_cdp_session(page))
    found.passing.send("Performance.enable", {"timeDomain": "timeTicks"})
    found.processor.send("Performance.enable", {"timeDomain": "threadTicks"})
    return found


def metrics(of: Clocks) -> Metrics:
    busy, cpu, at = measured(of.passing)["TaskDuration"], measured(of.processor)["TaskDuration"], time.monotonic()
    of.passing.send("HeapProfiler.collectGarbage")
    found = measured(of.passing)
    return Metrics(busy, cpu, found["JSHeapUsedSize"], found["Nodes"], at)


def measured(session: CDPSession) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def worker_seconds() -> float:
    """Return the CPU time so far of all threads of shared workers on this machine."""
    tasks = (one.parent for one in Path("/proc").glob("[0-9]*/task/*/comm") if _text(one).strip() == WORKER)
    ticks = [int(part) for task in tasks for part in _text(task / "stat").rpartition(")")[2].split()[11:13]]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the thread has ended meanwhile
        return ""


def open_page(
    browser: Browser, bench: Bench, minutes: float, target: float, services: list[str], what: str
) -> Iterator[Figure]:
    """Leave the list open while these services change; its threads, and its growth in the second half."""
    with opened(browser, bench, "/") as page, changing(bench.box, RATE, services):
        session = clocks(page)
        page.wait_for_timeout(SETTLE_SECONDS * 1000)
        begun, worked = metrics(session), worker_seconds()
        page.wait_for_timeout(minutes * 30_000)
        half = metrics(session)
        page.wait_for_timeout(minutes * 30_000)
        end, worked = metrics(session), worker_seconds() - worked
    note = f"{minutes:g} minutes" + (f" instead of {target:g}" if minutes < target else "")
    name = f"main thread of an open list, {RATE} changes a second {what}"
    yield Figure(name, busy(begun, end), "%", at_most(5), f"{note}, {processor(begun, end)}")
    yield Figure(f"its shared worker, {what}", worked / (end.at - begun.at) * 100, "%", note=note)
    grown = {"heap": (end.heap, half.heap), "nodes": (end.nodes, half.nodes)}
    for of, (last, middle) in grown.items():
        growth = (last / middle - 1) * 100
        yield Figure(f"growth of its {of} in the second half, {what}", growth, "%", at_most(1), note)


def busy(begun: Metrics, end: Metrics) -> float:
    """Return for how many percent of the time the main thread worked."""
    return (end.busy - begun.busy) / (end.at - begun.at) * 100


def processor(begun: Metrics, end: Metrics) -> str:
    """Return the same by the processor's time, which tells a busy machine from a busy page."""
    return f"{(end.cpu - begun.cpu) / (end.at - begun.at) * 100:.2g} % of CPU"


def hidden_page(browser: Browser, bench: Bench, services: list[str]) -> Iterator[Figure]:
    """Hide the list while its rows change; what it costs, and how long it takes to be true when it is shown again."""
    with opened(browser, bench) as page:
        page.add_init_script(HIDEABLE)
        page.goto(bench.at.url + "/")
        page.wait_for_selector(LIST)
        session = clocks(page)
        with changing(bench.box, RATE, services):
            page.wait_for_timeout(SETTLE_SECONDS * 1000)
            page.evaluate(HIDE, True)
            page.wait_for_timeout(LEFT_SECONDS * 1000)
            asked: list[str] = []
            page.context.on("request", lambda request: asked.append(request.url))
            begun, worked = metrics(session), worker_seconds()
            page.wait_for_timeout(HIDDEN_SECONDS * 1000)
            end, worked = metrics(session), worker_seconds() - worked
            requests, old = len(asked), page.evaluate(NEWEST)
        began = time.monotonic()
        page.evaluate(HIDE, False)
        page.wait_for_function(f"old => ({NEWEST})() !== old", arg=old, polling="raf")
        shown = (time.monotonic() - began) * 1000
    note = f"{HIDDEN_SECONDS:g} seconds"
    name = f"main thread of a hidden tab, {RATE} changes a second on its rows"
    yield Figure(name, busy(begun, end), "%", note=f"{note}, {processor(begun, end)}")
    yield Figure("its shared worker, no other tab open", worked / (end.at - begun.at) * 100, "%", note=note)
    yield Figure("its requests while it is hidden", requests, "requests", at_most(0), note)
    yield Figure("until it shows what changed when it is seen again", shown, "ms")


def measure(options: Options) -> Iterator[Figure]:
    minutes = min(options.duration(1.0, quick=0.2), TARGET_MINUTES)
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
        everywhere = all_services(bench.box)
        yield from open_page(browser, bench, minutes, TARGET_MINUTES, everywhere, "in the cluster")
        if not options.is_quick:
            target, shown = TARGET_MINUTES * ON_ROWS_SHOWN, shown_services(bench)
            yield from open_page(browser, bench, minutes * ON_ROWS_SHOWN, target, shown, "on the rows shown")
            yield from hidden_page(browser, bench, shown)
        browser.close()


if __name__ == "__main__":
    figures.main(measure)
