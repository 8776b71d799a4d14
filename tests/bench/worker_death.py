"""How long after kill -9 of the worker does its operation end, in the default set-up?

    python -m tests.bench.worker_death [rounds]

Starts what `make run` starts (SQLite, a Redis of its own, the sandbox, beat), kills the worker while it follows an
operation that the cluster has done meanwhile, and prints the seconds from the kill to the operation's end.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, Visitor
from tests.console_process import console
from tests.waiting import eventually

HELLO = "/services/sandbox/default/hello/"
ACTIVE = ("queued", "running", "following")


def status(database: Path) -> str:
    """Return the status of the newest operation."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        found = connection.execute("SELECT status FROM operations_operation ORDER BY submitted_at DESC LIMIT 1")
        return str((found.fetchone() or ("",))[0])


def submit(page: Page, value: str) -> None:
    page.fill("[name=value-0]", value)
    page.get_by_role("button", name="Review changes").click()
    page.locator("main button[form=apply]").click()


def main(rounds: int) -> None:
    with console(sandbox_speed=1) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        visitor = Visitor(browser.new_context(locale="en-GB"), running.url).sign_in("deployer")
        database = running.state / "console.sqlite3"
        took = []
        for number in range(rounds):
            submit(visitor.go(f"{HELLO}env/").page, f"round-{number}")
            eventually(lambda: status(database) == "following")
            killed = time.monotonic()
            os.kill(running.pid("worker"), signal.SIGKILL)
            eventually(lambda: status(database) not in ACTIVE, timeout=90)
            took.append(time.monotonic() - killed)
            print(f"{number + 1:3}  {took[-1]:6.2f} s from kill -9 to {status(database)}", flush=True)
        print(f"{rounds} workers killed: median {statistics.median(took):.1f} s, most {max(took):.1f} s")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
