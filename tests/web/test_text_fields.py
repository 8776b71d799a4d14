"""Lines that people write for probes, mounts, tolerations and resources: what is written is what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative.changes import EnvSource
from console.web.forms import entries, probes, text_fields

SYNTAXES: tuple[text_fields.Syntax[Any], ...] = (
    text_fields.WORD, text_fields.NAME, text_fields.LABEL, text_fields.ANNOTATION,
    entries.SOURCE, entries.MOUNT, entries.RESOURCE, entries.TOLERATION,
)  # fmt: skip
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
        assert probes.edited(probe, probes.read(text), probes.read(text)) == probe
        assert probes.edited(None, None, probes.read(text)) == probes.read(text)
    else:
        assert "exec" in probe


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (probes.read, *(syntax.read for syntax in SYNTAXES)):
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
    present = {"httpGet": {"path": "/", "port": 0}, "successThreshold": 1, "tomorrow": 9}
    assert probes.edited(present, probes.read("http"), probes.read("tcp 80")) == {
        "successThreshold": 1,
        "tomorrow": 9,
        "tcpSocket": {"port": 80},
    }


def test_only_what_differs_between_two_lines_of_a_probe_changes() -> None:
    present = {"httpGet": {"path": "/", "port": 0, "scheme": "HTTP", "host": "x"}, "periodSeconds": 9}
    edited = probes.edited(present, probes.read("http / period=5"), probes.read("http /up period=5 delay=1"))
    assert edited == {
        "httpGet": {"path": "/up", "port": 0, "scheme": "HTTP", "host": "x"},
        "periodSeconds": 9,  # somebody else's, made while the form was open
        "initialDelaySeconds": 1,
    }
    assert probes.edited(present, probes.read("http"), None) is None


TEXTS = st.text(max_size=12) | st.text('\n\r\v\u2028\u0085 \t"\\=a', max_size=8)


@given(TEXTS)
def test_every_text_has_a_line_of_its_own(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # half of a pair: no JSON on the wire has it
    for syntax, entry in ((text_fields.WORD, text), (text_fields.ANNOTATION, ("k", text))):
        line = syntax.line(entry)
        assert line is not None
        assert line.isprintable()
        assert syntax.entries(f"first=x\r\n{line}\r\n")[1:] == (entry,)


@pytest.mark.parametrize("line", ['"open', '"a" b', '"a\\x"', '"\\ud800"'])
def test_quotes_that_do_not_end_are_refused_with_the_line(line: str) -> None:
    with pytest.raises(ValueError, match="quotation mark"):
        text_fields.WORD.read(line)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("secret db", EnvSource("secret", "db")),
        ("secret db prefix=A_", EnvSource("secret", "db", "A_")),
        ("config-map c prefix=A_ optional", EnvSource("config-map", "c", "A_", True)),
    ],
)
def test_a_source_of_variables_is_read_and_written(line: str, source: EnvSource) -> None:
    assert entries.SOURCE.read(line) == source
    assert entries.SOURCE.line(source) == line


@pytest.mark.parametrize("line", ["secret", "vault x", "secret a b", "secret a prefix=A prefix=B", "secret 'a"])
def test_a_source_of_variables_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="“"):
        entries.SOURCE.read(line)


@pytest.mark.parametrize(
    ("line", "mount"),
    [
        ("/a secret s", ("/a", "secret", "s", ())),
        ("/a claim data ro", ("/a", "claim", "data", (("read-only", "true"),))),
        ("/a config-map c sub=x/y", ("/a", "config-map", "c", (("sub-path", "x/y"),))),
        ("/a empty-dir memory size=1Gi", ("/a", "empty-dir", "", (("medium", "Memory"), ("size", "1Gi")))),
    ],
)
def test_a_mount_is_read_and_written(line: str, mount: entries.Mount) -> None:
    assert entries.MOUNT.read(line) == mount
    assert entries.MOUNT.read(entries.MOUNT.write(mount)) == mount


@pytest.mark.parametrize(
    "line", ["/a secret s size=1Gi", "/a empty-dir size=x", "/a secret", "/a empty-dir n", "/a x y"]
)
def test_a_mount_that_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="“"):
        entries.MOUNT.check(entries.MOUNT.read(line))


@pytest.mark.parametrize("line", ["gpu=true:NoSchedule", "gpu:NoExecute", "gpu=a", "gpu"])
def test_a_toleration_is_read_and_written(line: str) -> None:
    assert entries.TOLERATION.write(entries.TOLERATION.read(line)) == line


@pytest.mark.parametrize("raw", [{"operator": "Exists"}, {"key": "a", "tolerationSeconds": 5}])
def test_a_toleration_that_a_line_cannot_say_is_none(raw: dict[str, Any]) -> None:
    assert entries.toleration_of(raw) is None
