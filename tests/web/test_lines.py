"""Lines that people write for probes, mounts, tolerations and resources: what is written is what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.forms import lines, probes

words = st.text("abc/ '\"=x", min_size=1, max_size=8)
ports = st.integers(0, 65535)
handlers = st.one_of(
    st.fixed_dictionaries(
        {"path": words.map(lambda w: f"/{w}"), "port": ports}, optional={"scheme": st.just("HTTPS")}
    ).map(lambda found: {"httpGet": found}),
    ports.map(lambda port: {"tcpSocket": {"port": port}}),
    st.lists(words, min_size=1, max_size=4).map(lambda found: {"exec": {"command": found}}),
    st.integers(1, 65535).map(lambda port: {"grpc": {"port": port}}),
)
timing = st.dictionaries(st.sampled_from(sorted(probes.TIMING.values())), st.integers(2, 99999))


@given(handlers, timing)
def test_a_probe_that_is_shown_as_a_line_comes_back_as_it_was(handler: dict[str, Any], when: dict[str, int]) -> None:
    probe = {**handler, **when}
    text = probes.line(probe)
    if text is not None:  # a command that ends in what looks like timing cannot be said, and is left alone
        assert probes.replaced(probe, probes.read(text)) == probe
    else:
        assert "exec" in probe


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (probes.read, lines.mount, lines.toleration, lines.resource):
        try:
            read(text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("http", {"httpGet": {"path": "/", "port": 0}}),
        ("https /up 8443 period=5", {"httpGet": {"path": "/up", "port": 8443, "scheme": "HTTPS"}, "periodSeconds": 5}),
        ("tcp delay=3 failures=9", {"tcpSocket": {"port": 0}, "initialDelaySeconds": 3, "failureThreshold": 9}),
        ("grpc 9000 health", {"grpc": {"port": 9000, "service": "health"}}),
        ("exec sh -c 'test -f /up'", {"exec": {"command": ["sh", "-c", "test -f /up"]}}),
        ("", None),
    ],
)
def test_a_probe_is_read(text: str, probe: dict[str, Any] | None) -> None:
    assert probes.read(text) == probe


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"path": "/", "httpHeaders": [{"name": "Host", "value": "x"}]}},
        {"httpGet": {"path": "/", "host": "elsewhere"}},
        {"httpGet": {"path": "/"}, "exec": {"command": ["true"]}},
        {"tcpSocket": {"port": "named"}},
        {"exec": {"command": ["run", "period=5"]}},
    ],
)
def test_a_probe_that_a_line_cannot_say_is_left_alone(probe: dict[str, Any]) -> None:
    assert probes.line(probe) is None


def test_a_field_that_nobody_knows_survives_a_new_probe() -> None:
    present = {"httpGet": {"path": "/", "port": 0}, "successThreshold": 1, "terminationGracePeriodSeconds": 9}
    assert probes.replaced(present, probes.read("tcp 80")) == {
        "successThreshold": 1,
        "terminationGracePeriodSeconds": 9,
        "tcpSocket": {"port": 80},
    }


@pytest.mark.parametrize(
    ("line", "mount"),
    [
        ("/a secret s", ("/a", "secret", "s", ())),
        ("/a claim data ro", ("/a", "claim", "data", (("read-only", "true"),))),
        ("/a config-map c sub=x/y", ("/a", "config-map", "c", (("sub-path", "x/y"),))),
        ("/a empty-dir memory size=1Gi", ("/a", "empty-dir", "", (("medium", "Memory"), ("size", "1Gi")))),
    ],
)
def test_a_mount_is_read_and_written(line: str, mount: lines.Mount) -> None:
    assert lines.mount(line) == mount
    assert lines.mount(lines.mount_text(mount)) == mount


@pytest.mark.parametrize(
    "line", ["/a secret s size=1Gi", "/a empty-dir size=x", "/a secret", "/a empty-dir n", "/a x y"]
)
def test_a_mount_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="“"):
        lines.mount(line)


@pytest.mark.parametrize("line", ["gpu=true:NoSchedule", "gpu:NoExecute", "gpu=a", "gpu"])
def test_a_toleration_is_read_and_written(line: str) -> None:
    assert lines.toleration_text(dict(lines.toleration(line))) == line


@pytest.mark.parametrize("raw", [{"operator": "Exists"}, {"key": "a", "tolerationSeconds": 5}])
def test_a_toleration_that_a_line_cannot_say_is_none(raw: dict[str, Any]) -> None:
    assert lines.toleration_text(raw) is None
