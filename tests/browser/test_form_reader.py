"""The reader of forms that tests/guard uses (tests/support/browser.py) sends what Chromium sends, byte for byte."""

from __future__ import annotations

from django.template import Context, Engine
from playwright.sync_api import Browser, Request, Route

from tests.support.browser import forms_of

HARD = [
    *("plain", "", " blanks ", "\ttab\t", "one\ntwo", "\n\nleading", "trailing\n\n", "cr\rhere", "crlf\r\nhere"),
    *("vt\vff\f", "nel\x85ls\u2028ps\u2029", "\xa0nbsp", "\x1c\x1f\x7f", "nul\0nul", "\ufeffbom", "漢字😀", "é"),
    *("<b>&amp;</textarea>", "\"'`", "a=b&c+d%20 e", "010", "0.7", "+1", "1e3", "•••• masked", "\\u0041"),
]
PAGE = """<!doctype html><meta charset=utf-8><form method=post action="http://reader.test/sent">
{% for value in values %}
<input name="text-{{ forloop.counter }}" value="{{ value }}">
<input type="hidden" name="hidden-{{ forloop.counter }}" value="{{ value }}">
<input type="number" name="number-{{ forloop.counter }}" value="{{ value }}">
<input type="checkbox" name="box-{{ forloop.counter }}" value="{{ value }}" checked>
<textarea name="area-{{ forloop.counter }}">{{ value }}</textarea>
<textarea name="django-{{ forloop.counter }}">
{{ value }}</textarea>
<select name="list-{{ forloop.counter }}"><option value="">none</option><option value="{{ value }}" selected>x</option></select>
<select name="bare-{{ forloop.counter }}"><option>{{ value }}</option></select>
{% endfor %}
<input name="locked" value="x" readonly><input name="disabled" value="x" disabled><input type="checkbox" name="off">
<fieldset disabled><input name="inside" value="x"></fieldset>
<template><input name="inert" value="x"><textarea name="inert-area">x</textarea></template>
<button id="send">send</button></form>"""  # noqa: E501  a line of the page


def test_the_reader_sends_what_chromium_sends(browser: Browser) -> None:
    markup = Engine().from_string(PAGE).render(Context({"values": HARD}))
    sent = _sent_by(browser, markup).decode()
    assert forms_of(markup)[0].encoded().split("&") == sent.split("&")


def _sent_by(browser: Browser, markup: str) -> bytes:
    """What Chromium posts when the button is pressed; nothing leaves the browser."""
    sent: list[bytes] = []

    def answer(route: Route, request: Request) -> None:
        if request.method == "POST":
            sent.append(request.post_data_buffer or b"")
        route.fulfill(body=markup.encode() if request.method == "GET" else b"", content_type="text/html; charset=utf-8")

    context = browser.new_context()
    page = context.new_page()
    page.route("http://reader.test/**", answer)
    page.goto("http://reader.test/")
    page.click("#send")
    page.wait_for_url("http://reader.test/sent")
    context.close()
    return sent[0]
