"""Rows of controls for probes, mounts, tolerations and resources: what they say is what the service has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative.changes import EnvSource
from console.knative.objects import Service
from console.web.forms import entries, probes, text_fields
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.support.browser import Form, change_forms
from tests.web.sent_back import sent_back
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

words = st.text("abc/ '\"=x:\n", min_size=1, max_size=8)
ports = st.integers(0, 65535)
headers = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["Host", "X-A"]), "value": words}), max_size=2)
handlers = st.one_of(
    st.fixed_dictionaries(
        {"path": words.map(lambda w: f"/{w}"), "port": ports},
        optional={"scheme": st.sampled_from(["HTTP", "HTTPS"]), "host": words, "httpHeaders": headers},
    ).map(lambda found: {"httpGet": found}),
    ports.map(lambda port: {"tcpSocket": {"port": port}}),
    st.lists(words, min_size=1, max_size=4).map(lambda found: {"exec": {"command": found}}),
    st.integers(1, 65535).map(lambda port: {"grpc": {"port": port}}),
)
timing = st.dictionaries(st.sampled_from(sorted(probes.TIMING.values())), st.integers(0, 99999))


def of(kind: str, **texts: str) -> dict[str, Any] | None:
    return probes.probe_of({"kind": kind, **texts})


@given(handlers, timing)
def test_a_probe_that_is_shown_in_controls_comes_back_as_it_was(handler: dict[str, Any], when: dict[str, int]) -> None:
    probe = {**handler, **when}
    text = probes.line(probe)
    if text is None:  # a line break in a path, a blank at the end of a header: no control says that
        assert "httpGet" in probe
    else:
        again = probes.probe_of_line(text)
        assert probes.edited(probe, again, again) == probe
        assert probes.edited(None, None, again) == again


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (of("http"), {"httpGet": {"path": "/", "port": 0}}),
        (
            of("http", path="/up", port="8443", scheme="HTTPS", period="5"),
            {"httpGet": {"path": "/up", "port": 8443, "scheme": "HTTPS"}, "periodSeconds": 5},
        ),
        (
            of("http", headers="Host: a\nX-B:c:d"),
            {
                "httpGet": {
                    "path": "/",
                    "port": 0,
                    "httpHeaders": [{"name": "Host", "value": "a"}, {"name": "X-B", "value": "c:d"}],
                }
            },
        ),
        (
            of("tcp", delay="3", failures="9"),
            {"tcpSocket": {"port": 0}, "initialDelaySeconds": 3, "failureThreshold": 9},
        ),
        (of("tcp", port="h2c"), {"tcpSocket": {"port": "h2c"}}),
        (of("grpc", port="9000", service="health"), {"grpc": {"port": 9000, "service": "health"}}),
        (of("exec", command="sh\n-c\ntest -f /up"), {"exec": {"command": ["sh", "-c", "test -f /up"]}}),
        (of(""), None),
    ],
)
def test_a_probe_is_what_its_controls_say(probe: dict[str, Any] | None, said: dict[str, Any] | None) -> None:
    assert probe == said


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"path": "/"}, "exec": {"command": ["true"]}},
        {"httpGet": {"path": "/", "tomorrow": 1}},
        {"httpGet": {"path": "/"}, "tomorrow": 1},
        {"httpGet": {"path": "/", "httpHeaders": [{"name": "A", "value": " x "}]}},
        {"tcpSocket": {"port": "80"}},
        {"exec": {"command": ["a\rb"], "tomorrow": 1}},
        {"tcpSocket": {"port": 1}, "periodSeconds": "5"},
    ],
)
def test_a_probe_that_controls_cannot_say_is_left_alone(probe: dict[str, Any]) -> None:
    assert probes.line(probe) is None


def test_a_field_that_nobody_knows_survives_a_new_probe() -> None:
    present = {"httpGet": {"path": "/", "port": 0}, "successThreshold": 1, "tomorrow": 9}
    assert probes.edited(present, of("http"), of("tcp", port="80")) == {
        "successThreshold": 1,
        "tomorrow": 9,
        "tcpSocket": {"port": 80},
    }


def test_only_what_differs_between_two_states_of_a_probe_changes() -> None:
    present = {"httpGet": {"path": "/", "port": 0, "scheme": "HTTP", "host": "x"}, "periodSeconds": 9}
    edited = probes.edited(present, of("http", period="5"), of("http", path="/up", period="5", delay="1"))
    assert edited == {
        "httpGet": {"path": "/up", "port": 0, "scheme": "HTTP", "host": "x"},
        "periodSeconds": 9,  # somebody else's, made while the form was open
        "initialDelaySeconds": 1,
    }
    assert probes.edited(present, of("http"), None) is None


@pytest.mark.parametrize(
    ("syntax", "entry"),
    [
        (entries.SOURCE, EnvSource("secret", "db")),
        (entries.SOURCE, EnvSource("config-map", "c", "A_", True)),
        (entries.MOUNT, ("/a b", "secret", "s", (("items", "k=p\nq=r"),))),
        (entries.MOUNT, ("/a", "claim", "data", (("read-only", "true"),))),
        (entries.MOUNT, ("/a", "empty-dir", "", (("medium", "Memory"), ("size", "1Gi")))),
        (entries.RESOURCE, ("nvidia.com/gpu", "", "1")),
        (entries.TOLERATION, (("key", "gpu"), ("operator", "Exists"), ("effect", "NoExecute"))),
        (entries.TOLERATION, (("operator", "Exists"),)),
    ],
)
def test_an_entry_that_a_row_says_comes_back(syntax: text_fields.Syntax[Any], entry: object) -> None:
    line = syntax.line(entry)
    assert line is not None
    assert syntax.read(line) == entry


@pytest.mark.parametrize(
    ("syntax", "entry"),
    [
        (entries.SOURCE, EnvSource("secret", "")),
        (entries.SOURCE, EnvSource("secret", "a\nb")),
        (entries.MOUNT, ("/a\rb", "secret", "s", ())),
        (entries.TOLERATION, ()),
    ],
)
def test_an_entry_that_no_row_can_say_has_none(syntax: text_fields.Syntax[Any], entry: object) -> None:
    assert syntax.line(entry) is None


@pytest.mark.parametrize(
    "raw",
    [{}, {"key": "a", "tomorrow": 1}, {"key": "a", "tolerationSeconds": "5"}, {"key": "a\nb", "operator": "Exists"}],
)
def test_a_toleration_that_a_row_cannot_say_is_none(raw: dict[str, Any]) -> None:
    assert entries.toleration_of(raw) is None


def test_a_row_that_is_emptied_is_taken_away_and_an_empty_one_does_not_count() -> None:
    service = Service(factories.service())
    container = service.containers[0]
    emptied = {"env_from-0-name": "", "env_from-0-kind": "secret"}
    data = sent_back(SettingsForm(service, container), rows={"env_from": {}, "mounts": {}}, **emptied)
    form = SettingsForm(service, container, data)
    assert form.is_valid(), form.errors
    assert form.change is not None
    sources = form.change.apply(service).containers[0].raw["envFrom"]
    assert sources == [{"configMapRef": {"name": "flags"}}]


def opened(shown: Shown) -> Form:
    (form,) = change_forms(shown.client.get(f"{shown.path}settings/").content.decode())
    return form


def pressed(shown: Shown, form: Form, name: str, value: str) -> Form:
    """The form after a button of its rows was pressed without JavaScript."""
    body = form.encoded(form.button(name, value))
    page = shown.client.post(f"{shown.path}settings/", body, content_type="application/x-www-form-urlencoded")
    assert page.status_code == 200
    markup = page.content.decode()
    assert 'class="problem"' not in markup, "nothing is judged before the form is sent"
    (again,) = change_forms(markup)
    return again


def test_rows_are_added_and_taken_away_without_javascript(shown: Shown) -> None:
    form = opened(shown)
    form.type("timeout", "typed")
    form = pressed(shown, form, "add_row", "tolerations")
    form.type("tolerations-0-key", "gpu")
    form = pressed(shown, form, "add_row", "tolerations")
    assert form["tolerations-0-key"].value == "gpu"
    form.type("tolerations-1-key", "spot")
    form = pressed(shown, form, "remove_row", "tolerations-0")
    assert form["tolerations-0-key"].value == "spot"
    assert "tolerations-1-key" not in form
    assert form["timeout"].value == "typed"


def test_enter_in_a_row_sends_the_form_and_takes_no_row_away(shown: Shown) -> None:
    """A browser presses the first button of the form."""
    form = pressed(shown, opened(shown), "add_row", "tolerations")
    first = next(control for control in form.controls if control.kind == "submit")
    assert first.name == ""
