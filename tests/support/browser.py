"""Forms of a page as a browser reads and sends them (HTML standard, "form submission"), without a browser.

tests/browser/test_form_reader.py holds it to Chromium on a page of hard values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from urllib.parse import urlencode

Entries = list[tuple[str, str]]

_UNSENT = {"submit", "button", "reset", "image", "file"}
_ONE_LINE = {"text", "search", "tel", "password", "url", "email"}
_TRIMMED = {"url", "email"}
_FLOAT = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")  # "valid floating-point number"
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list."""

    value: str
    is_selected: bool = False
    is_disabled: bool = False


@dataclass(slots=True)
class Control:
    """One element of a form. `value` is what a person sees in it; a box counts by `is_checked`."""

    name: str
    kind: str  # an input's type, or textarea, select, submit
    value: str = ""
    is_checked: bool = True
    is_disabled: bool = False
    is_read_only: bool = False
    action: str = ""  # a button's own address
    options: list[Option] = field(default_factory=list)

    @property
    def is_editable(self) -> bool:
        """A person can change it; no script does."""
        return not (self.is_disabled or self.is_read_only or self.kind in ("hidden", *_UNSENT))

    @property
    def is_sent(self) -> bool:
        return bool(self.name) and not self.is_disabled and self.is_checked and self.kind not in _UNSENT


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, its controls in tree order, and the buttons that send it."""

    action: str = ""
    method: str = "get"
    identity: str = ""
    controls: list[Control] = field(default_factory=list)
    templates: list[Control] = field(default_factory=list)  # of further rows, which a script copies

    def __getitem__(self, name: str) -> Control:
        """The only control of that name; raises KeyError."""
        found = [control for control in self.controls if control.name == name]
        if len(found) != 1:
            raise KeyError(f"{len(found)} controls are called {name}: {[c.name for c in self.controls]}")
        return found[0]

    def __contains__(self, name: str) -> bool:
        return any(control.name == name for control in self.controls)

    def type(self, name: str, text: str) -> None:
        """Put text into a control as a person can: a line break does not fit into one line."""
        control = self[name]
        if not control.is_editable:
            raise ValueError(f"{name} cannot be edited")
        if control.kind == "select":
            if text not in [option.value for option in control.options if not option.is_disabled]:
                raise ValueError(f"{name} does not offer {text!r}")
            control.value = text
        elif control.kind in ("checkbox", "radio"):
            control.is_checked = text == "on"
        else:
            control.value = _sanitized(control.kind, text)

    def add_row(self, field: str, **texts: str) -> int:
        """Add a row to a formset as the page's script does, and type into it; returns its number."""
        total = self[f"{field}-TOTAL_FORMS"]
        number, total.value = int(total.value), str(int(total.value) + 1)
        blank = [control for control in self.templates if control.name.startswith(f"{field}-__prefix__-")]
        self.controls += [replace(one, name=one.name.replace("__prefix__", str(number))) for one in blank]
        for name, text in texts.items():
            self.type(f"{field}-{number}-{name}", text)
        return number

    def remove_row(self, field: str, number: int) -> None:
        """Take a row away as the page's script does."""
        self.controls = [one for one in self.controls if not one.name.startswith(f"{field}-{number}-")]

    def button(self, name: str, value: str) -> Control:
        """The button that sends this; raises StopIteration."""
        return next(one for one in self.controls if (one.kind, one.name, one.value) == ("submit", name, value))

    def entries(self, pressed: Control | None = None, *, newline: str = "\r\n") -> Entries:
        """Return what is sent, in order. A browser sends CRLF; a script that encodes the fields itself sends LF."""
        sent = (control for control in self.controls if control.is_sent or (control is pressed and control.name))
        found = [(control.name, control.value) for control in sent]
        return [(_lines(name, newline), _lines(value, newline)) for name, value in found]

    def encoded(self, pressed: Control | None = None, *, newline: str = "\r\n") -> str:
        """Return the body as application/x-www-form-urlencoded."""
        return urlencode(self.entries(pressed, newline=newline), encoding="utf-8", errors="xmlcharrefreplace")


class Page(HTMLParser):
    """A page's forms. Markup is read as the HTML standard reads it, as far as templates that djlint passes need."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._loose: list[tuple[str, Control]] = []  # controls that name their form by its id
        self._disabled_fieldsets: list[bool] = []
        self._templates = 0  # that are open: what is in them is no part of the page
        self._text: list[str] | None = None  # inside a textarea or an option
        self._control: Control | None = None
        self._option: Mapping[str, str] = {}
        self.feed(markup.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()
        for identity, control in self._loose:
            self._place(control, next((form for form in self.forms if form.identity == identity), None))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: (value or "").replace("\0", "\ufffd") for name, value in reversed(attrs)}
        if tag == "form" and self._open is None:
            self._open = Form(names.get("action", ""), names.get("method", "get").lower(), names.get("id", ""))
            self.forms.append(self._open)
        elif tag == "template":
            self._templates += 1
        elif tag == "fieldset":
            self._disabled_fieldsets.append("disabled" in names)
        elif tag == "input":
            self._input(names)
        elif tag in ("textarea", "select"):
            self._control = self._made(names, tag)
            self._text = [] if tag == "textarea" else None
        elif tag == "option":
            self._close_option()
            self._option = names
            self._text = []
        elif tag == "button" and names.get("type", "submit") == "submit":
            control = self._made(names, "submit")
            control.value, control.action = names.get("value", ""), names.get("formaction", "")
            self._add(control, names)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "template":
            self._templates -= 1
        elif tag == "fieldset" and self._disabled_fieldsets:
            self._disabled_fieldsets.pop()
        elif tag == "option":
            self._close_option()
        elif tag == "textarea" and self._control:
            text = "".join(self._text or ()).replace("\0", "\ufffd")
            self._control.value = text.removeprefix("\n")  # the parser drops one line break right after the tag
            self._finish()
        elif tag == "select" and self._control:
            self._close_option()
            self._finish()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _input(self, names: Mapping[str, str]) -> None:
        control = self._made(names, (names.get("type") or "text").lower())
        is_box = control.kind in ("checkbox", "radio")
        control.value = names.get("value", "on" if is_box else "")
        control.is_checked = "checked" in names if is_box else True
        control.value = _sanitized(control.kind, control.value)
        self._add(control, names)

    def _made(self, names: Mapping[str, str], kind: str) -> Control:
        self._names = names
        is_disabled = "disabled" in names or any(self._disabled_fieldsets)
        return Control(
            names.get("name", ""),
            kind,
            is_disabled=is_disabled,
            is_read_only="readonly" in names,
        )

    def _add(self, control: Control, names: Mapping[str, str]) -> None:
        if self._templates:
            if self._open is not None:
                self._open.templates.append(control)
        elif "form" in names:
            self._loose.append((names["form"], control))
        else:
            self._place(control, self._open)

    def _finish(self) -> None:
        assert self._control is not None
        if self._control.kind == "select":
            _choose(self._control)
        self._add(self._control, self._names)
        self._control, self._text = None, None

    @staticmethod
    def _place(control: Control, form: Form | None) -> None:
        if form is not None:
            form.controls.append(control)

    def _close_option(self) -> None:
        if self._text is None or self._control is None or self._control.kind != "select":
            return
        text = self._option.get("value", _stripped("".join(self._text).replace("\0", "")))
        self._control.options.append(Option(text, "selected" in self._option, "disabled" in self._option))
        self._text = None


def _stripped(text: str) -> str:
    """Strip and collapse ASCII whitespace, which is less than Python's."""
    return " ".join(part for part in re.split(r"[\t\n\f\r ]+", text) if part)


def _choose(control: Control) -> None:
    """A list that drops down shows its last selected option, else the first that may be chosen."""
    selected = [option for option in control.options if option.is_selected]
    free = [option for option in control.options if not option.is_disabled]
    shown = selected[-1] if selected else free[0] if free else Option("", is_disabled=True)
    control.value, control.is_checked = shown.value, not shown.is_disabled


def _sanitized(kind: str, text: str) -> str:
    """The "value sanitization algorithm" of each kind of control."""
    if kind in _ONE_LINE:
        text = text.replace("\r", "").replace("\n", "")
        return text.strip("\t\n\f\r ") if kind in _TRIMMED else text
    if kind == "number":
        return text if _FLOAT.fullmatch(text) else ""
    if kind == "textarea":
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _lines(text: str, newline: str) -> str:
    return re.sub(r"\r\n|\r|\n", newline, text)


def forms_of(markup: str) -> list[Form]:
    """The forms of a page."""
    return Page(markup).forms


def change_forms(markup: str) -> Iterator[Form]:
    """The forms that change a service: they carry the version that the person saw."""
    return (form for form in forms_of(markup) if form.method == "post" and "resource_version" in form)


def named(entries: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in entries:
        found.setdefault(name, []).append(value)
    return found
