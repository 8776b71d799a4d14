"""How long after pressing "Apply" does the browser show "Ready to serve.", less the cluster's own time?

    python -m tests.bench.update_latency [rounds]

The cluster's own time runs from the API's answer to the write (generation counted up, as a watch sees it) to the event
in which the Service is Ready. What is left is the console's: submit, queue, worker, timeline, event stream, browser.
"""

from __future__ import annotations

import json
import ssl
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, Visitor
from tests.console_process import console

HELLO = "/services/sandbox/default/hello/"


class Truth(threading.Thread):
    """Watches the service in the sandbox itself and notes when each generation was written and when it was ready."""

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        super().__init__(daemon=True)
        self._url = f"{url}/apis/serving.knative.dev/v1/namespaces/default/services?watch=true&timeoutSeconds=600"
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(ca)) if ca else None
        self.written: dict[int, float] = {}
        self.ready: dict[int, float] = {}

    def run(self) -> None:
        for service in self._events():
            if service["metadata"]["name"] != "hello":
                continue
            generation, status = service["metadata"]["generation"], service.get("status") or {}
            self.written.setdefault(generation, time.monotonic())
            states = {one["type"]: one["status"] for one in status.get("conditions") or []}
            if status.get("observedGeneration") == generation and states.get("Ready") == "True":
                self.ready.setdefault(generation, time.monotonic())

    def _events(self) -> Iterator[dict]:
        request = urllib.request.Request(self._url, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=600, context=self._tls) as lines:
            for line in lines:
                yield json.loads(line)["object"]


def one_update(visitor: Visitor, value: str, service: str = HELLO) -> tuple[float, float]:
    """Change the variable; return when the last button was pressed and when its success was seen."""
    page = visitor.go(f"{service}env/").page
    page.fill("[name=value-0]", value)  # the only variable: its line is open
    page.get_by_role("button", name="Review changes").click()
    page.locator("main button[form=apply]").wait_for()
    pressed = time.monotonic()
    page.locator("main button[form=apply]").click()
    page.wait_for_selector("#operation[data-status^='succeeded']", timeout=30_000)
    return pressed, time.monotonic()


def main(rounds: int) -> None:
    with console(sandbox_speed=1) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        facts = json.loads((running.state / "sandbox.json").read_text())
        truth = Truth(facts["url"], facts["token"])
        truth.start()
        visitor = Visitor(browser.new_context(locale="en-GB"), running.url).sign_in("deployer")
        totals, overheads = [], []
        for number in range(rounds):
            pressed, seen = one_update(visitor, f"round-{number}")
            generation = max(truth.ready)
            own = truth.ready[generation] - truth.written[generation]
            totals.append(seen - pressed)
            overheads.append(seen - pressed - own)
            line = f"{number + 1:3}  press to seen {totals[-1]:6.3f} s  cluster {own:6.3f} s"
            print(f"{line}  console {overheads[-1]:6.3f} s")
        middle, ours = statistics.median(totals), statistics.median(overheads)
        print(f"median over {rounds}: press to seen {middle:.3f} s, console {ours:.3f} s")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
