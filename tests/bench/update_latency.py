"""How long after pressing "Apply" does the browser show "Ready to serve.", less the cluster's own time?

    python -m tests.bench.update_latency

The cluster's own time runs from its write (generation counted up, as a watch sees it) to the event in which the
Service is Ready. What is left is the console's, and is split: press to write is submit, queue, worker and its checks;
ready to seen is the worker's last look, the event stream, and the page's next fetch.

Both ends are taken in the page itself, by its clock: a program outside would see them by polling, half a second late.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.bench import figures
from tests.bench.figures import Figure, Options, median
from tests.browser.conftest import CHROMIUM, QUIET, Visitor
from tests.console_process import console
from tests.waiting import eventually

HELLO = "/services/sandbox/default/hello/"
UPDATES = 6  # one more goes before them, which fills caches and opens connections
PRESS_AND_SIGHT = """
addEventListener("click", (event) => {
  if (event.target.closest("button[form=apply]")) sessionStorage.pressed = Date.now();
}, true);
new MutationObserver(() => {
  const status = document.querySelector("#operation")?.dataset.status ?? "";
  if (sessionStorage.pressed && status.startsWith("succeeded")) sessionStorage.seen ??= Date.now();
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


class Truth(threading.Thread):
    """Watches the service in the cluster itself and notes when each generation was written and when it was ready."""

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/apis/serving.knative.dev/v1/namespaces/default/services?watch=true&timeoutSeconds=600"
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(ca)) if ca else None
        self.written: dict[int, float] = {}  # seconds since 1970, as in the browser
        self.ready: dict[int, float] = {}

    def run(self) -> None:
        for service in self._events():
            if service["metadata"]["name"] != "hello":
                continue
            generation, status = service["metadata"]["generation"], service.get("status") or {}
            self.written.setdefault(generation, time.time())
            states = {one["type"]: one["status"] for one in status.get("conditions") or []}
            if status.get("observedGeneration") == generation and states.get("Ready") == "True":
                self.ready.setdefault(generation, time.time())

    def _events(self) -> Iterator[dict]:
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=600, context=self._tls) as lines:
            for line in lines:
                yield json.loads(line)["object"]


@dataclass(frozen=True, slots=True)
class Update:
    """When what happened, in seconds since 1970."""

    pressed: float
    written: float
    ready: float
    seen: float

    @property
    def total(self) -> float:
        return self.seen - self.pressed

    @property
    def cluster(self) -> float:
        return self.ready - self.written

    @property
    def console(self) -> float:
        return self.total - self.cluster


class Updates:
    """Updates of one service by a person at a browser, beside what the cluster says of them."""

    def __init__(self, visitor: Visitor, truth: Truth, service: str = HELLO) -> None:
        visitor.context.add_init_script(PRESS_AND_SIGHT)
        self._visitor, self._truth, self._service = visitor, truth, service
        truth.start()

    def make(self, value: str) -> Update:
        """Change the variable, press the last button, and wait until the success is there to see."""
        page = self._visitor.go(f"{self._service}env/").page
        page.evaluate("sessionStorage.clear()")
        page.fill("[name=value-0]", value)  # the only variable: its line is open
        page.get_by_role("button", name="Review changes").click()
        before = max(self._truth.ready, default=0)
        page.locator("main button[form=apply]").click()
        page.wait_for_selector("#operation[data-status^='succeeded']", timeout=60_000)
        pressed, seen = (float(page.evaluate(f"sessionStorage.{name}")) / 1000 for name in ("pressed", "seen"))
        eventually(lambda: max(self._truth.ready, default=0) > before, message="The cluster made no new generation")
        generation = max(self._truth.ready)
        return Update(pressed, self._truth.written[generation], self._truth.ready[generation], seen)


def spans(updates: list[Update], where: str) -> Iterator[Figure]:
    """Yield the medians of the updates' parts, in milliseconds."""
    yield median(f"press to seen, {where}", [one.total * 1000 for one in updates], "ms")
    yield median(f"the cluster's own time, {where}", [one.cluster * 1000 for one in updates], "ms")
    yield median(f"press to write, {where}", [(one.written - one.pressed) * 1000 for one in updates], "ms")
    yield median(f"ready to seen, {where}", [(one.seen - one.ready) * 1000 for one in updates], "ms")
    yield median(f"the console's part, {where}", [one.console * 1000 for one in updates], "ms")


def measure(options: Options) -> Iterator[Figure]:
    with console(sandbox_speed=1) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        facts = json.loads((running.state / "sandbox.json").read_text())
        visitor = Visitor(browser.new_context(locale="en-GB"), running.url).sign_in("deployer")
        updates = Updates(visitor, Truth(facts["url"], facts["token"]))
        updates.make("warm")
        yield from spans(
            [updates.make(f"round-{number}") for number in range(3 if options.is_quick else UPDATES)], "sandbox"
        )
        browser.close()


if __name__ == "__main__":
    figures.main(measure)
