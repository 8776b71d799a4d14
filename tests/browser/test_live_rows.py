"""Rows that are sent to a list (static/js/live-rows.js), without a console: what is written, when, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

SCRIPT = Path("static/js/live-rows.js")
SEND = "html => document.dispatchEvent(new CustomEvent('live:sent', {detail: {html, position: 'e.2'}}))"
AT_ONCE = 100  # milliseconds, in which a change after some silence is shown
RECORDS = """
() => {
  window.written = [];
  const all = {subtree: true, childList: true, characterData: true, attributes: true};
  const observer = new MutationObserver(found => written.push(...found.map(one => one.type)));
  observer.observe(document.querySelector('table'), all);
}
"""


def row(name: str, author: str, menu: str = "", more: str = "") -> str:
    """Return a row as the server renders it, with what a reader may be at in its last cell."""
    moment = '<time datetime="2026-11-20T12:00:00Z" data-age="age">2026-11-20 12:00:00 UTC</time>'
    return (
        f'<tr id="row-{name}"><th><a href="#{name}">{name}</a></th><td>{moment}</td>'
        f'<td><details><summary>menu</summary><input value="{menu}"></details>'
        f'<p title="{author}">{author}</p><a href="#by">by</a>{more}</td></tr>'
    )


def send(page: Page, **authors: str) -> None:
    page.evaluate(SEND, {f"row-{name}": row(name, author) for name, author in authors.items()})


def send_at(page: Page, position: str, author: str) -> None:
    page.evaluate(SEND.replace("'e.2'", f"'{position}'"), {"row-r0": row("r0", author)})


def of(page: Page, name: str) -> Any:
    return page.locator(f"#row-{name}")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.clock.install(time="2026-11-26T00:00:00Z")
    opened.clock.pause_at("2026-11-26T01:00:00Z")
    body = "".join(row(f"r{number}", "ada") for number in range(50))
    opened.set_content(f'<div data-topic="t" data-position="e.1"><table><tbody>{body}</tbody></table></div>')
    opened.add_script_tag(content=SCRIPT.read_text(), type="module")
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    opened.close()
    assert failures == []


def test_a_change_after_silence_is_shown_at_once_and_later_ones_of_its_row_once_a_second(page: Page) -> None:
    seen = []
    for number in range(1, 41):  # 4 s, a change every 100 ms
        send(page, r0=f"author {number}")
        page.clock.run_for(AT_ONCE)
        seen.append(of(page, "r0").locator("p").inner_text())
    assert seen[0] == "author 1"
    assert len(set(seen)) in {4, 5}
    page.clock.run_for(1_100)
    assert of(page, "r0").locator("p").inner_text() == "author 40"  # the last one is not lost


@pytest.mark.parametrize(
    ("positions", "shown"),
    [
        (("e.9", "e.8"), "first"),  # the stream before tells of what the next one has told already
        (("e.10", "e.9"), "first"),  # by number, not by letter
        (("e.8", "e.8"), "second"),
        (("e.8", "e.9"), "second"),
        (("e.9", "f.1"), "second"),  # Redis lost its numbers: they cannot be compared
    ],
)
def test_an_older_row_never_takes_the_place_of_a_newer_one(page: Page, positions: tuple[str, str], shown: str) -> None:
    for position, author in zip(positions, ("first", "second"), strict=True):
        send_at(page, position, author)
        page.clock.run_for(1_100)
    assert of(page, "r0").locator("p").inner_text() == shown


def test_a_row_that_was_quiet_does_not_wait_for_one_that_changes_all_the_time(page: Page) -> None:
    for number in range(5):
        send(page, r0=f"busy {number}")
        page.clock.run_for(AT_ONCE)
    send(page, r1="quiet")
    page.clock.run_for(300)
    expect(of(page, "r1")).to_contain_text("quiet")
    page.clock.run_for(1_100)
    expect(of(page, "r0")).to_contain_text("busy 4")  # it has its turn without being sent again


def test_only_the_texts_and_attributes_that_differ_are_written(page: Page) -> None:
    page.evaluate(RECORDS)
    send(page, r0="grace", r1="ada")
    page.clock.run_for(AT_ONCE)
    assert page.evaluate("written.toSorted()") == ["attributes", "characterData"]


def test_fifty_rows_that_change_at_once_are_styled_and_laid_out_once(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.clock.run_for(AT_ONCE)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('th'))")

    def layouts() -> float:
        found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return float(found["LayoutCount"] + found["RecalcStyleCount"])

    before = layouts()
    send(page, **{f"r{number}": "edsger" for number in range(50)})
    page.clock.run_for(AT_ONCE)
    expect(of(page, "r49")).to_contain_text("edsger")
    assert layouts() - before < 25  # a browser has its own reasons for some; asked once a row it would be fifty


def test_a_focus_an_open_menu_typing_and_a_selection_stay_in_a_cell_that_changes(page: Page) -> None:
    page.evaluate(
        """() => {
          const row = document.getElementById('row-r0'), text = row.querySelector('p').firstChild;
          const [menu, input, link] = ['details', 'input', 'td > a'].map(each => row.querySelector(each));
          menu.open = true;
          input.focus();
          input.value = 'half a wor';
          window.held = {row, menu, input, text};
          getSelection().setBaseAndExtent(text, 1, row.querySelector('td > a').firstChild, 2);
          input.focus({preventScroll: true});
        }"""
    )
    send(page, r0="barbara")
    page.clock.run_for(AT_ONCE)
    kept = page.evaluate(
        """() => ({
          row: held.row.isConnected, menu: held.menu.isConnected && held.menu.open,
          typed: held.input.isConnected && held.input.value, focus: document.activeElement === held.input,
          text: held.text.data,
        })"""
    )
    assert kept == {"row": True, "menu": True, "typed": "half a wor", "focus": True, "text": "barbara"}


def test_a_selection_whose_own_text_changes_goes_on_with_the_new_one(page: Page) -> None:
    page.evaluate(
        """() => {
          const text = document.querySelector('#row-r0 p').firstChild;
          getSelection().setBaseAndExtent(text, 0, text, 3);
        }"""
    )
    send(page, r0="barbara")
    page.clock.run_for(AT_ONCE)
    assert page.evaluate("getSelection().toString()") == "bar"


def test_a_cell_with_other_elements_than_before_is_made_again_unless_somebody_is_at_it(page: Page) -> None:
    page.evaluate("window.swapped = []; window.htmx = {swap: given => swapped.push(given.target.localName)}")
    page.evaluate("document.querySelector('#row-r1 td > a').focus()")
    sent = {f"row-{name}": row(name, "ada", more="<b>new</b>") for name in ("r0", "r1")}
    page.evaluate(SEND, sent)
    page.clock.run_for(AT_ONCE)
    expect(of(page, "r0").locator("b")).to_have_text("new")
    assert page.evaluate("swapped") == ["td"]  # htmx puts in what is new around what is there
    assert page.evaluate("document.activeElement.closest('tr').id") == "row-r1"


def test_an_age_goes_on_where_its_moment_is_the_same(page: Page) -> None:
    page.evaluate("document.querySelector('#row-r0 time').textContent = '6d'")  # as static/js/ages.js does
    send(page, r0="donald")
    page.clock.run_for(AT_ONCE)
    expect(of(page, "r0")).to_contain_text("donald")
    expect(of(page, "r0").locator("time")).to_have_text("6d")
