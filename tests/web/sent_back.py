"""What a browser sends back of a rendered form, as far as HTML changes texts on the way."""

from __future__ import annotations

from html.parser import HTMLParser

from django import forms


class _Controls(HTMLParser):
    """The values of the controls of some markup, as a browser holds them."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self._select = self._textarea = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        if tag == "option" and ("selected" in found or self._select not in self.values):
            self.values[self._select] = value
        if "disabled" in found:
            return
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea, self.values[name] = name, ""
        elif tag == "input" and found.get("type") == "checkbox":
            self.values |= {name: value or "on"} if "checked" in found else {}
        elif tag == "input":
            self.values[name] = value.replace("\r", "").replace("\n", "")  # an input has one line

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            self.values[self._textarea] = self.values[self._textarea].removeprefix("\n")
            self._textarea = ""


def sent_back(form: forms.Form, **typed: str) -> dict[str, str]:
    """Return the data of the form with some fields typed over; raises KeyError for one that cannot be typed into."""
    values = _Controls("".join(str(form[name]) for name in form.fields)).values
    missing = [name for name in typed if name not in values and not isinstance(form.fields[name], forms.BooleanField)]
    if missing:
        raise KeyError(missing)
    values |= {name: text for name, text in typed.items() if text or name in values}
    values = {name: text for name, text in values.items() if name != "cluster_local" or text}
    lines = {name: text.replace("\r\n", "\n").replace("\r", "\n") for name, text in values.items()}
    shown = {"shown": form.shown_token} if hasattr(form, "shown_token") else {}
    return {name: text.replace("\n", "\r\n") for name, text in lines.items()} | shown
