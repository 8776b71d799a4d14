"""How many requests a minute does the API server get from the console, with 0, 100 and 500 people looking?

    python -m tests.bench.api_load

Services change meanwhile, five times a second: those requests are not counted. The third time each kind of form and of
page is open too, in a browser; opening one may ask the cluster, and what is counted begins when all are open. A log
that is followed is not among them: each look at one is a request, which is what its person asked for.

What the console asks by itself it asks once a minute, some of it two dozen requests at once (a look at each cluster, a
watch that begins again). A window of one minute holds none, one or two such rounds, by chance. So the counters are read
all the time, and the figure is the median of all the minutes within a minute and a half.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

from playwright.sync_api import sync_playwright

from tests.bench import figures
from tests.bench.consoles import Bench, all_services, changing, console_of, requests_so_far, watched
from tests.bench.figures import Figure, Options, at_most, middle_minute
from tests.bench.stream_backends import COOKIE, STREAMS_OF_SESSION
from tests.browser.conftest import CHROMIUM, QUIET

SERVICES = 1000
RATE = 5  # changes a second
VIEWERS = (0, 100, 500)
FORMS = ("deploy", "env", "image", "settings", "traffic", "yaml", "operate", "clone", "delete", "test")
PAGES = ("", "revisions/", "history/")  # of a service
LISTS = ("/", "/revisions/", "/operations/", "/approvals/", "/clusters/", "/services/new/")
OBSERVED, QUICK_OBSERVED = 90.0, 65.0  # seconds: all minutes within are looked at
EVERY = 0.5  # seconds between two readings of the counters
OF_THE_BENCHMARK = {"patch services.serving.knative.dev"}


def open_pages(held: ExitStack, bench: Bench, service: str) -> int:
    """Open each kind of form and page in a browser; returns how many there are."""
    browser = held.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=QUIET)
    held.callback(browser.close)
    context = browser.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": bench.sessions[-1], "url": bench.at.url}])
    of_service = f"/services/sandbox/{service}/"
    revision = f"{of_service}revisions/{service.rpartition('/')[2]}-00001/"
    addresses = [*LISTS, *(f"{of_service}{form}/" for form in FORMS), *(f"{of_service}{page}" for page in PAGES)]
    addresses += [revision, f"{revision}logs/"]
    for address in addresses:
        answer = context.new_page().goto(bench.at.url + address)
        assert answer, address
        assert answer.ok, (address, answer.status)
    return len(addresses)


def counted(bench: Bench, seconds: float) -> Counter[str]:
    """The console's requests in the middle one of the minutes of so many seconds, by verb and resource."""
    readings: list[tuple[float, Counter[str]]] = []
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        found = Counter(requests_so_far(bench.box))
        readings.append((now, Counter({kind: found[kind] for kind in found.keys() - OF_THE_BENCHMARK})))
        time.sleep(EVERY)
    return middle_minute(readings)


def measure(options: Options) -> Iterator[Figure]:
    observed = QUICK_OBSERVED if options.is_quick else OBSERVED
    note = f"median of the minutes in {observed:g} s"
    totals: dict[int, int] = {}
    with console_of(SERVICES, people=max(VIEWERS) // STREAMS_OF_SESSION + 1) as bench:
        services = all_services(bench.box)
        for viewers in VIEWERS[:2] if options.is_quick else VIEWERS:
            with ExitStack() as held:
                held.enter_context(watched(bench, viewers))
                pages = open_pages(held, bench, services[0]) if viewers == VIEWERS[-1] else 0
                held.enter_context(changing(bench.box, RATE, services))
                found = counted(bench, observed)
            totals[viewers] = found.total()
            print("   ", dict(found.most_common()))
            also = f" and {pages} other open forms and pages" if pages else ""
            yield Figure(f"requests to the API server, {viewers} viewers{also}", totals[viewers], "a minute", note=note)
        most = max(totals)
        name = f"requests to the API server, {most} viewers more than none"
        yield Figure(name, totals[most] - totals[0], "a minute", at_most(2), note)


if __name__ == "__main__":
    figures.main(measure)
