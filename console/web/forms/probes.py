"""A probe in controls: what is asked, then how often. A probe that they cannot say is left alone."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.web.forms import text_fields
from console.web.forms.rows import Row, RowForm, as_line, as_row

TIMING = {
    "delay": "initialDelaySeconds",
    "period": "periodSeconds",
    "timeout": "timeoutSeconds",
    "failures": "failureThreshold",
    "successes": "successThreshold",
    "grace": "terminationGracePeriodSeconds",
}
KINDS = {"http": "HTTP GET", "tcp": "TCP", "grpc": "gRPC", "exec": gettext_lazy("Command")}
_HANDLERS = {"http": "httpGet", "tcp": "tcpSocket", "grpc": "grpc", "exec": "exec"}
_OF_KIND = {  # the controls of each kind
    "http": ("path", "port", "scheme", "host", "headers"),
    "tcp": ("port", "host"),
    "grpc": ("port", "service"),
    "exec": ("command",),
}
_NO_PORT = 0  # Knative puts the port of the container there
_PORT_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$")
MAX_SECONDS = 99_999


def _number(label: Any, default: str) -> forms.IntegerField:
    attrs = {"inputmode": "numeric", "autocomplete": "off", "placeholder": default}
    return forms.IntegerField(label=label, min_value=0, max_value=MAX_SECONDS, widget=forms.TextInput(attrs))


def _text(label: Any, placeholder: Any = "") -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false", "placeholder": placeholder}
    return forms.CharField(label=label, widget=forms.TextInput(attrs))


def _lines(label: Any, placeholder: str) -> forms.CharField:
    attrs = {"rows": 2, "spellcheck": "false", "placeholder": placeholder}
    return forms.CharField(label=label, strip=False, widget=forms.Textarea(attrs))


class ProbeForm(RowForm):
    """One probe. Placeholders are what Kubernetes takes for an empty control."""

    more = tuple(TIMING)

    kind = forms.ChoiceField(
        label=gettext_lazy("Handler"),
        choices=[("", gettext_lazy("Not set")), *KINDS.items()],
    )
    path = _text(gettext_lazy("Path"), "/")
    port = _text(gettext_lazy("Port"), gettext_lazy("container port"))
    scheme = forms.ChoiceField(
        label=gettext_lazy("Scheme"),
        choices=[("", gettext_lazy("HTTP (default)")), ("HTTP", "HTTP"), ("HTTPS", "HTTPS")],
    )
    host = _text(gettext_lazy("Host"), gettext_lazy("the pod"))
    headers = _lines(gettext_lazy("Headers (one “Name: value” per line)"), "X-Probe: sluice")
    service = _text(gettext_lazy("gRPC service"))
    command = _lines(gettext_lazy("Command (one argument per line)"), "cat\n/tmp/healthy")
    delay = _number(gettext_lazy("Initial delay (s)"), "0")
    period = _number(gettext_lazy("Period (s)"), "10")
    timeout = _number(gettext_lazy("Timeout (s)"), "1")
    failures = _number(gettext_lazy("Failure threshold"), "3")
    successes = _number(gettext_lazy("Success threshold"), "1")
    grace = _number(gettext_lazy("Grace period (s)"), "")

    @classmethod
    def said(cls, row: Row) -> Row:
        """A probe that is not set says nothing, however often it would be asked."""
        names = ("kind", *_OF_KIND.get(row.get("kind", ""), ()), *TIMING) if row.get("kind") else ()
        return {name: text for name, text in row.items() if name in names}

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        if path and not path.startswith("/") and self._is("http"):
            raise forms.ValidationError(_("A path starts with “/”."))
        return path

    def clean_port(self) -> str:
        port: str = self.cleaned_data["port"]
        if self._is("grpc") and not port:
            raise forms.ValidationError(_("Enter the port of the gRPC server."))
        is_number = port.isascii() and port.isdecimal()
        if port and not (int(port) <= 65535 if is_number else _PORT_NAME.fullmatch(port) and not self._is("grpc")):
            raise forms.ValidationError(_("Enter a port from 1 to 65535, or leave it empty."))
        return port

    def clean_headers(self) -> str:
        text: str = self.cleaned_data["headers"]
        if self._is("http") and _headers(text) is None:
            raise forms.ValidationError(_("Use one “Name: value” per line."))
        return text

    def clean_command(self) -> str:
        text: str = self.cleaned_data["command"]
        if self._is("exec"):
            if not text_fields.split(text):
                raise forms.ValidationError(_("Enter the command."))
            try:
                text_fields.WORD.entries(text)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return text

    @property
    def kind_fields(self) -> list[forms.BoundField]:
        return self.main_fields[1:]

    def _is(self, kind: str) -> bool:
        return self.cleaned_data.get("kind") == kind


class ProbeWidget(forms.Widget):
    """Reads the controls of a probe as the text of its field: a line as that of a row."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        if f"{name}-kind" not in data:
            return None
        return line_of(ProbeForm(data, prefix=name).row())

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-kind" not in data


class ProbeBoundField(forms.BoundField):
    """A probe in a form: what its template shows."""

    field: "ProbeField"

    def as_widget(self, widget: Any = None, attrs: Any = None, only_initial: bool = False) -> SafeString:
        if self.field.disabled:
            return SafeString()
        return render_to_string("components/probe_body.html", {"field": self})

    @property
    def controls(self) -> ProbeForm:
        row = row_of_line(str(self.value() or ""))
        if self.errors:
            form = ProbeForm({f"{self.html_name}-{name}": text for name, text in row.items()}, prefix=self.html_name)
        else:
            form = ProbeForm(initial=row, prefix=self.html_name)
        form.offer_what_it_holds()
        for name in () if self.field.has_kubernetes_times else ("period", "timeout", "failures"):
            form.fields[name].widget.attrs.pop("placeholder", None)
        return form

    @property
    def summary(self) -> str:
        """The probe in short, as it was shown: `HTTP GET /ready`."""
        row = row_of_line(str(getattr(self.form, "shown", {}).get(self.name, "")))
        named = str(KINDS.get(row.get("kind", ""), ""))
        return " ".join(filter(None, (named, row.get("path"), row.get("port"))))

    @property
    def general_errors(self) -> list[str]:
        """What is wrong beside the controls, which show their own."""
        return [str(error) for found in self.errors.as_data() if found.code != "control" for error in found]


class ProbeField(forms.CharField):
    """A probe, cleaned to what the API has of it; None for one that is not set.

    A readiness probe without a period is asked by Knative itself, without pause: Kubernetes' times do not hold for it.
    """

    def __init__(self, *, has_kubernetes_times: bool = True, **more: Any) -> None:
        super().__init__(required=False, strip=False, widget=ProbeWidget(), **more)
        self.has_kubernetes_times = has_kubernetes_times
        self.template_name = "components/controls.html"
        self.bound_field_class = ProbeBoundField

    def to_python(self, value: Any) -> Any:
        row = row_of_line(str(value or ""))
        form = ProbeForm(row)
        if not form.is_valid():
            raise forms.ValidationError(_("This probe is not complete."), code="control")
        return probe_of(form.clean_row())


def line_of(row: Row) -> str:
    return as_line(row) if row else ""


def row_of_line(line: str) -> Row:
    return as_row(line) if line else {}


def probe_of_line(line: str) -> dict[str, Any] | None:
    """Return the probe of a text that `line` made."""
    return probe_of(row_of_line(line))


def probe_of(row: Row) -> dict[str, Any] | None:
    """Return what the API has of the controls; None for a probe that is not set."""
    kind = row.get("kind", "")
    if not kind:
        return None
    timing = {field: int(row[name]) for name, field in TIMING.items() if name in row}
    return {_HANDLERS[kind]: _handler(kind, row), **timing}


def _handler(kind: str, row: Row) -> dict[str, Any]:
    if kind == "exec":
        return {"command": list(text_fields.WORD.entries(row.get("command", "")))}
    port = {"port": _port(row.get("port", ""))}
    if kind == "grpc":
        return {**port, **_given(row, "service")}
    if kind == "tcp":
        return {**port, **_given(row, "host")}
    headers = [{"name": name, "value": value} for name, value in _headers(row.get("headers", "")) or ()]
    found = {"path": row.get("path") or "/", **port, **_given(row, "scheme", "host")}
    return {**found, "httpHeaders": headers} if headers else found


def _given(row: Row, *names: str) -> dict[str, str]:
    return {name: row[name] for name in names if name in row}


def _port(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text or _NO_PORT


def _headers(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return name and value of each line; None for a text with other lines."""
    lines = [line.partition(":") for line in text_fields.split(text)]
    pairs = tuple((name.strip(text_fields.BLANKS), value.strip(text_fields.BLANKS)) for name, _colon, value in lines)
    return pairs if all(colon and name for name, colon, _value in lines) else None


def line(found: Mapping[str, Any] | None) -> str | None:
    """Return the text of a probe; None for one that the controls cannot say (several handlers, fields of later)."""
    if not found:
        return ""
    row = _row(found)
    if not ProbeForm.survives(row):
        return None
    try:
        is_said = _plain(probe_of(row)) == _plain(found)
    except (ValueError, KeyError):
        return None
    return line_of(row) if is_said else None


def _row(found: Mapping[str, Any]) -> Row:
    """Return the controls as far as they can say the probe."""
    kind = next((kind for kind, handler in _HANDLERS.items() if handler in found), "")
    handler = found.get(_HANDLERS.get(kind, "")) or {}
    row = {name: str(handler[name]) for name in ("path", "port", "scheme", "host", "service") if handler.get(name)}
    if kind == "exec":
        written = (text_fields.WORD.line(str(word)) for word in handler.get("command") or ())
        row["command"] = "\n".join(word or "" for word in written)
    headers = handler.get("httpHeaders") or ()
    row["headers"] = "\n".join(f"{one.get('name', '')}: {one.get('value', '')}" for one in headers)
    row |= {name: str(found[field]) for name, field in TIMING.items() if field in found}
    return ProbeForm.said({"kind": kind, **{name: text for name, text in row.items() if text}})


def edited(
    present: Mapping[str, Any] | None, shown: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return the present probe with what differs between the probe that was shown and the one that is wanted.

    What neither speaks of stays: defaults that the webhook wrote, later fields, what somebody else changed meanwhile.
    """
    if wanted is None:
        return None
    result, before = dict(present or {}), dict(shown or {})
    handlers = set(_HANDLERS.values())
    handler = next(key for key in wanted if key in handlers)
    if handler in before and handler in result:
        result[handler] = _merged(result[handler] or {}, before[handler], wanted[handler])
    elif handler not in before:
        result = {key: value for key, value in result.items() if key not in handlers} | {handler: wanted[handler]}
    timing = set(TIMING.values())
    return _merged(result, _only(before, timing), _only(wanted, timing))


def _merged(present: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is present with what differs between the two."""
    gone = {key for key in before if key not in after}
    set_ = {key: value for key, value in after.items() if before.get(key) != value}
    return {key: value for key, value in present.items() if key not in gone} | set_


def _only(found: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key in keys}


def _plain(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the probe with what is the same written the same. `{}` and what is missing are different probes."""
    plain = dict(found or {})
    for handler, defaults in (
        ("httpGet", {"path": "/", "port": _NO_PORT}),
        ("tcpSocket", {"port": _NO_PORT}),
        ("grpc", {}),
    ):
        if handler in plain:
            given = {key: value for key, value in (plain[handler] or {}).items() if value != ""}
            plain[handler] = {**defaults, **given}
    return plain
