"""Hostile text in a real browser: nothing of it runs, and htmx obeys none of it."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.console_process import RunningConsole
from tests.web.test_script import PAYLOADS

PLANTED = "window.__planted = true"
HOSTILE = [payload.replace("alert(1)", PLANTED) for payload in PAYLOADS]


def plant(running: RunningConsole) -> None:
    """Put the texts into everything that the API takes them in: variables, annotations, arguments."""
    box = json.loads((running.state / "sandbox.json").read_text())
    variables = [{"name": f"V{number}", "value": text} for number, text in enumerate(HOSTILE)]
    container = {
        "image": "gcr.io/knative-samples/helloworld-go",
        "env": variables,
        "args": HOSTILE,
        "command": HOSTILE[:1],
    }
    annotations = {f"planted.example.com/a{number}": text for number, text in enumerate(HOSTILE)}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hostile", "namespace": "default", "annotations": annotations},
        "spec": {"template": {"metadata": {"annotations": annotations}, "spec": {"containers": [container]}}},
    }
    ask(box, "POST", "/apis/serving.knative.dev/v1/namespaces/default/services", service)


def ask(box: dict[str, Any], method: str, path: str, body: Any) -> None:
    headers = {"Authorization": f"Bearer {box['token']}", "Content-Type": "application/json"}
    request = urllib.request.Request(box["url"] + path, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status in (200, 201)


def test_hostile_text_of_the_cluster_and_of_forms_never_runs(visitor: Visitor, running: RunningConsole) -> None:
    plant(running)
    asked: list[str] = []
    page = visitor.page
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.on("dialog", lambda dialog: visitor.complaints.append(f"a dialog opened: {dialog.message}"))
    visitor.sign_in("admin")
    hostile = "/services/sandbox/default/hostile/"
    page.wait_for_function("async (path) => (await fetch(path)).ok", arg=hostile)
    visitor.go(f"{hostile}env/")
    page.get_by_role("button", name="Reveal values").click()
    expect(page.locator("code", has_text="data-planted").first).to_be_visible()
    paths = [
        hostile,
        f"{hostile}yaml/",
        f"{hostile}settings/",
        f"{hostile}revisions/hostile-00001/",
        f"{hostile}image/",
        "/",
    ]
    paths += [f"/?q={text}" for text in HOSTILE] + [
        f"/no-such-page/{HOSTILE[0]}",
        f"/audit/?q={HOSTILE[2]}&actor={HOSTILE[3]}",
    ]
    for path in paths:
        visitor.go(path.replace("#", "%23").replace("%}", "%25}").replace("{%", "{%25"))
        assert page.evaluate("window.__planted") is None, path
        assert page.locator("[data-planted]").count() == 0, path
    # what a person types comes back in the refused form, swapped in by htmx
    visitor.go(f"{hostile}env/")
    for index, text in enumerate(HOSTILE[:2], start=len(HOSTILE)):
        page.get_by_role("button", name="Add a variable").click()
        page.fill(f"[name=name-{index}]", text)
        page.fill(f"[name=value-{index}]", text)
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".problem").first).to_be_visible()
    assert page.evaluate("window.__planted") is None
    assert page.locator("[data-planted]").count() == 0
    assert "/preferences/" not in asked, "htmx obeyed an attribute that came as text"


def test_an_element_that_got_in_after_all_is_not_obeyed(visitor: Visitor) -> None:
    """Were escaping ever forgotten: the policy runs no planted script, and htmx heeds nothing without the nonce."""
    asked: list[str] = []
    visitor.sign_in("viewer")
    page = visitor.page
    expect(page.get_by_role("link", name="hello", exact=True)).to_be_visible()
    page.on("request", lambda request: asked.append(request.url))
    planted = (
        f"<img src=x onerror='{PLANTED}'>"
        "<div id=planted hx-get='/preferences/?planted' hx-trigger='load, now' hx-nonce='x'></div>"
        f"<div hx-on:click='{PLANTED}' id=clicked>x</div><a id=link href='javascript:{PLANTED}'>x</a>"
    )
    page.evaluate("(text) => document.body.insertAdjacentHTML('beforeend', text)", planted)
    page.evaluate("htmx.process(document.body)")
    page.evaluate("htmx.trigger('#planted', 'now')")
    page.locator("#clicked").dispatch_event("click")
    page.locator("#link").dispatch_event("click")
    page.wait_for_function("() => performance.now() > 0 && document.readyState === 'complete'")
    expect(page.locator("#planted")).to_be_attached()
    assert page.evaluate("window.__planted") is None
    assert not [one for one in asked if "planted" in one]
    # The policy's reports are what this test is about.
    expected = ("Content Security Policy", "hx-csp", "nonce")
    visitor.complaints[:] = [one for one in visitor.complaints if not any(word in one for word in expected)]
