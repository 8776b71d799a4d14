"""Ages on a page that stays open."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

SCRIPT = Path("static/js/ages.js")
WORDS = {"s": "%(count)ss", "m": "%(count)sm", "h": "%(count)sh", "d": "%(count)sd", "y": "%(count)sy"}
BROUGHT = json.dumps({**WORDS, "ago": "%(age)s ago", "now": 1795176002})  # two seconds after 12:00
BODY = '<time datetime="2026-11-20T12:00:00+00:00" data-age="{kind}">2s</time>'


def test_an_age_goes_on_by_the_servers_clock_while_a_page_stays_open(browser: Browser) -> None:
    page = browser.new_page()
    page.clock.install(time="2031-01-01T00:00:00Z")  # a browser whose clock is years ahead
    page.set_content(
        f"<html data-ages='{BROUGHT}'><body>{BODY.format(kind='ago')}{BODY.format(kind='age')}</body></html>"
    )
    page.add_script_tag(content=SCRIPT.read_text(), type="module")
    page.clock.run_for(20_000)
    expect(page.locator("[data-age=ago]")).to_have_text("22s ago")
    expect(page.locator("[data-age=age]")).to_have_text("22s")
    page.clock.fast_forward("48:00:00")
    expect(page.locator("[data-age=ago]")).to_have_text("2d ago")
    page.close()


def test_what_is_left_until_a_moment_is_counted_down_to_nothing(browser: Browser) -> None:
    page = browser.new_page()
    page.clock.install(time="2031-01-01T00:00:00Z")
    time = '<time datetime="2026-11-20T13:00:00+00:00" data-age="left">59m</time>'
    page.set_content(f"<html data-ages='{BROUGHT}'><body>{time}</body></html>")
    page.add_script_tag(content=SCRIPT.read_text(), type="module")
    page.clock.fast_forward("10:00")
    expect(page.locator("time")).to_have_text("49m")
    page.clock.fast_forward("02:00:00")
    expect(page.locator("time")).to_have_text("0s")
    page.close()


def test_a_moment_of_a_row_becomes_an_age_at_once_and_stays_in_its_title(browser: Browser) -> None:
    page = browser.new_page()
    page.clock.install(time="2031-01-01T00:00:00Z")
    exact = "2026-11-20 12:00:00 UTC"
    moment = f'<time class="moment" datetime="2026-11-20T12:00:00+00:00" data-age="age">{exact}</time>'
    page.set_content(f"<html data-ages='{BROUGHT}'><body><p>{moment}</p></body></html>")
    page.add_script_tag(content=SCRIPT.read_text(), type="module")
    expect(page.locator("time")).to_have_text("2s")
    expect(page.locator("time")).to_have_attribute("title", exact)
    page.evaluate("html => { document.querySelector('p').innerHTML = html }", moment)  # as a row that is swapped in
    page.evaluate("document.dispatchEvent(new CustomEvent('htmx:after:swap'))")
    expect(page.locator("time")).to_have_text("2s")
    page.close()
