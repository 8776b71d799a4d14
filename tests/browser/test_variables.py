"""The table of variables with its script: lines become fields and back, values are revealed in place, files dropped."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_script import ask
from tests.console_process import RunningConsole

NAMES = [f"NUMBER_{number:04}" for number in range(150)]
PASTED = "NUMBER_0001=other\nNUMBER_0002=x2\nADDED='two\nlines'\n"


def give(running: RunningConsole, name: str, variables: list[str]) -> str:
    """A service with these variables, each with a value of its own; returns the path of its page of variables."""
    env = [{"name": one, "value": f"x{number}"} for number, one in enumerate(variables)]
    container = {"image": "gcr.io/knative-samples/helloworld-go", "env": env}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    box = json.loads((running.state / "sandbox.json").read_text())
    ask(box, "POST", "/apis/serving.knative.dev/v1/namespaces/default/services", service)
    return f"/services/sandbox/default/{name}/env/"


@pytest.fixture(scope="module")
def few(running: RunningConsole) -> str:
    return give(running, "few-variables", NAMES[:10])


@pytest.fixture(scope="module")
def many(running: RunningConsole) -> str:
    return give(running, "many-variables", NAMES)


def opened(visitor: Visitor, path: str, user: str = "admin") -> Page:
    page = visitor.sign_in(user).page
    page.wait_for_function("async (path) => (await fetch(path)).ok", arg=path)
    visitor.go(path)
    return page


def row(page: Page, name: str) -> Locator:
    return page.locator(f"tr[data-env-row='0:{name}']")


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def sent(page: Page) -> dict[str, str]:
    """What the form would send of the lines."""
    fields: dict[str, str] = page.evaluate("() => Object.fromEntries(new FormData(document.getElementById('typed')))")
    return {name: value for name, value in fields.items() if re.search(r"-\d+$", name)}


def reviewed(page: Page) -> str:
    page.get_by_role("button", name=re.compile("^Review changes")).last.click()
    expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
    return page.inner_text("main")


def test_lines_become_fields_and_back_without_asking_the_server(visitor: Visitor, few: str) -> None:
    page = opened(visitor, few)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    assert sent(page) == {}
    press(page, "Edit NUMBER_0001")
    expect(page.locator("[name=value-1]")).to_be_focused()
    expect(row(page, "NUMBER_0001")).not_to_contain_text("changed")
    page.keyboard.type("one\ntwo")
    expect(row(page, "NUMBER_0001")).to_contain_text("changed")
    press(page, "Remove NUMBER_0002")
    expect(row(page, "NUMBER_0002")).to_contain_text("will be removed")
    press(page, "Remove NUMBER_0003")
    press(page, "Undo NUMBER_0003")
    press(page, "Add a variable")
    page.keyboard.type("ADDED")
    page.locator("[name=value-10]").fill("new")
    press(page, "Add a variable")
    press(page, "Edit NUMBER_0004")  # and left alone
    assert not [one for one in asked if one.startswith("POST")]
    for count in ("Changed: 1", "New: 1", "Removed: 1"):
        expect(page.locator(".env-bar")).to_contain_text(count)
    assert "action-3" not in sent(page)
    text = reviewed(page)
    for change in ("NUMBER_0001", "NUMBER_0002", "ADDED"):
        assert change in text
    assert "NUMBER_0004" not in text
    page.go_back()
    expect(page.locator("[name=value-1]")).to_have_value("one\ntwo")
    expect(row(page, "NUMBER_0002")).to_contain_text("will be removed")
    press(page, "Undo NUMBER_0002")
    expect(row(page, "NUMBER_0002")).to_contain_text("••••")


def test_values_are_revealed_in_place_and_nothing_that_was_typed_is_lost(visitor: Visitor, few: str) -> None:
    page = opened(visitor, few)
    press(page, "Edit NUMBER_0001")
    page.keyboard.type("typed")
    press(page, "Edit NUMBER_0002")
    press(page, "Reveal NUMBER_0003")
    expect(row(page, "NUMBER_0003")).to_contain_text("x3")
    expect(row(page, "NUMBER_0004")).to_contain_text("••••")
    press(page, "Reveal values")
    expect(row(page, "NUMBER_0004")).to_contain_text("x4")
    expect(page.locator("[name=value-1]")).to_have_value("typed")
    expect(page.locator("[name=value-2]")).to_have_value("x2")
    expect(row(page, "NUMBER_0002")).not_to_contain_text("changed")
    assert page.url.endswith(few)
    page.locator("[name=value-2]").fill("other")
    expect(row(page, "NUMBER_0002")).to_contain_text("changed")
    visitor.keep("variables-revealed")


def test_the_filter_acts_at_once_and_enter_edits_what_it_found(visitor: Visitor, few: str, many: str) -> None:
    page = opened(visitor, few)
    press(page, "Edit NUMBER_0001")
    page.keyboard.type("typed")
    page.keyboard.press("Tab")
    search = page.get_by_role("searchbox", name="Filter by name")
    search.fill("_0007")
    expect(page.locator("tr[data-env-row]:visible")).to_have_count(2)  # what was touched stays in sight
    search.fill("nothing")
    expect(row(page, "NUMBER_0001")).to_be_visible()
    visitor.go(many)
    press(page, "Edit NUMBER_0001")
    page.keyboard.type("typed")
    search.fill("_0149")
    expect(row(page, "NUMBER_0149")).to_be_visible()
    expect(page.locator("tr[data-env-row]")).to_have_count(2)
    expect(page.locator("[name=value-1]")).to_have_value("typed")
    expect(search).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("found")
    assert sent(page)["value-149"] == "found"
    text = reviewed(page)
    assert "NUMBER_0001" in text
    assert "NUMBER_0149" in text


def test_a_dropped_file_shows_its_difference_and_becomes_lines(visitor: Visitor, few: str) -> None:
    page = opened(visitor, few)
    press(page, "Edit NUMBER_0005")
    page.keyboard.type("typed")
    transfer = page.evaluate_handle(
        "(text) => { const all = new DataTransfer(); all.items.add(new File([text], '.env')); return all; }", PASTED
    )
    page.dispatch_event("[data-env]", "drop", {"dataTransfer": transfer})
    difference = page.locator("#env-difference")
    expect(difference).to_contain_text("Unchanged: 1")
    assert difference.locator("tbody tr").all_inner_texts()[0].split() == ["NUMBER_0001", "changed", "other"]
    press(page, "Add to the table")
    expect(page.locator("[name=value-1]")).to_have_value("other")
    expect(page.locator("[name=value-10]")).to_have_value("two\nlines")
    expect(page.locator("[name=value-5]")).to_have_value("typed")
    expect(page.locator("[name=paste]")).to_have_value("")
    text = reviewed(page)
    assert "NUMBER_0002" not in text
    assert "ADDED" in text


def test_several_lines_pasted_into_a_name_go_to_the_field_for_them(visitor: Visitor, few: str) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(visitor, few)
    press(page, "Add a variable")
    page.evaluate("(text) => navigator.clipboard.writeText(text)", "FIRST: 1\nSECOND: two\n")
    page.keyboard.press("ControlOrMeta+v")
    expect(page.locator("#env-difference")).to_contain_text("New: 2")
    assert page.input_value("[data-env-new]") == ""
