"""An open list while Redis or the web process is away: it says so as long as it is not live, and is true afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_live import is_heard, name_author
from tests.console_process import RunningConsole


@contextmanager
def away(running: RunningConsole, name: str) -> Iterator[None]:
    """Kill the process, and let nobody start it again meanwhile."""
    os.kill(running.supervisor.pid, signal.SIGSTOP)
    for pid in running.web_pids() if name == "web" else [running.pid(name)]:
        os.kill(pid, signal.SIGKILL)
    if name == "web" and running.pid(name) not in running.web_pids():
        os.kill(running.pid(name), signal.SIGKILL)
    try:
        yield
    finally:
        os.kill(running.supervisor.pid, signal.SIGCONT)


@pytest.fixture
def page(visitor: Visitor, running: RunningConsole) -> Page:
    page = visitor.sign_in("deployer").go("/").page
    is_heard(page, running)
    return page


@pytest.mark.parametrize("name", ["redis", "web"])
def test_a_list_says_that_it_is_not_live_while_it_is_not_and_is_true_again_afterwards(
    name: str, page: Page, running: RunningConsole
) -> None:
    row, note = page.locator("tr", has_text="cart"), page.locator("[data-paused]")
    word = page.locator(".head", has=page.locator(".live-dot")).get_by_text("live", exact=True)
    expect(note).to_be_hidden()
    expect(word).to_be_visible()
    with away(running, name):
        expect(note).to_be_visible()
        expect(word).to_be_hidden()
        name_author(running, "cart", "shop", f"while-{name}-was-away@shop.example")
    expect(note).to_be_hidden()
    expect(word).to_be_visible()
    expect(row).to_contain_text(f"while-{name}-was-away@shop.example")
    name_author(running, "cart", "shop", f"after-{name}@shop.example")
    expect(row).to_contain_text(f"after-{name}@shop.example")
