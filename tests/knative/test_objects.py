"""Objects, conditions, differences, redaction, validation, kn's rows and the chi-square test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative import diff, kn, shares, validation
from console.knative.conditions import Condition, Word, tally
from console.knative.objects import Health, Revision, Service
from console.knative.redaction import MASK, mask_env, redact_text, seal_env
from tests import factories, recording

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def test_every_object_of_the_recording_can_be_read() -> None:
    kinds = {"services": Service, "revisions": Revision}
    read = 0
    for entry in recording.entries():
        if entry["kind"] in kinds and isinstance(entry.get("obj"), dict):
            view = kinds[entry["kind"]](entry["obj"])
            assert view.name
            assert str(view.tally)
            assert view.health in Health
            read += 1
    assert read > 100


@pytest.mark.parametrize(
    ("status", "severity", "word", "symbol"),
    [
        ("True", "", Word.OK, "++"),
        ("False", "Info", Word.INFO, " I"),
        ("False", "Warning", Word.WARNING, " W"),
        ("Unknown", "Info", Word.UNKNOWN, "??"),
        ("False", "", Word.ERROR, "!!"),
        ("Unknown", "", Word.UNKNOWN, "??"),
    ],
)
def test_conditions_have_kns_symbols(status: str, severity: str, word: Word, symbol: str) -> None:
    condition = Condition("X", status, severity=severity)
    assert (condition.word, condition.symbol) == (word, symbol)


def test_three_of_four_is_normal_when_the_fourth_is_information() -> None:
    revision = Revision(factories.revision())
    assert str(revision.tally) == "3 OK / 4"
    assert revision.tally.is_normal
    assert not tally([Condition("Ready", "False")]).is_normal


def test_a_stale_ready_is_not_believed() -> None:
    raw = factories.service()
    raw["metadata"]["generation"] = 5
    assert Service(raw).health is Health.PROGRESSING


def test_the_image_is_shown_as_kn_shows_it() -> None:
    assert Revision(factories.revision()).image_text == "registry.example.com/shop:1.4 (pinned to 5ea96b)"


def test_a_difference_names_variables_and_shows_no_value() -> None:
    before, after = factories.service(), factories.service()
    containers = after["spec"]["template"]["spec"]["containers"]
    containers[0]["env"][1]["value"] = "another-secret"
    del containers[1]["env"]
    rows = {row.field: row for row in diff.diff(before, after)}
    changed = rows["spec.template.spec.containers[app].env[PASSWORD].value"]
    assert (changed.before, changed.after, changed.secret) == (MASK, MASK, True)
    assert rows["spec.template.spec.containers[sidecar].env[LEVEL]"].after is None
    assert factories.SECRET_VALUE not in str(rows)


def test_somebody_elses_change_of_another_field_is_no_collision() -> None:
    seen, fresh = factories.service(), factories.service()
    fresh["spec"]["template"]["spec"]["containers"][1]["image"] = "registry.example.com/log:3"
    touched = {("spec", "template", "spec", "containers", "app", "env", "TARGET")}
    assert diff.collisions(Service(seen), Service(fresh), touched) == ()
    fresh["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "Third"
    (collision,) = diff.collisions(Service(seen), Service(fresh), touched)
    assert collision.theirs == MASK


@given(st.text(min_size=1), st.text(min_size=1))
def test_sealed_values_are_equal_exactly_when_the_values_are(one: str, other: str) -> None:
    def sealed(value: str) -> object:
        raw = {"spec": {"containers": [{"env": [{"name": "A", "value": value}]}]}}
        return seal_env(raw, b"key")["spec"]["containers"][0]["env"][0]["value"]

    assert (sealed(one) == sealed(other)) == (one == other)


def test_no_copy_of_a_value_survives_sealing_or_masking() -> None:
    raw = factories.service()
    copied = json.dumps(raw)
    raw["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = copied
    raw["metadata"]["managedFields"] = [{"fieldsV1": {"secret": factories.SECRET_VALUE}}]
    for hidden in (seal_env(raw, b"key"), mask_env(raw)):
        assert factories.SECRET_VALUE not in json.dumps(hidden)
    assert redact_text(f"error near {factories.SECRET_VALUE}", [factories.SECRET_VALUE]) == f"error near {MASK}"


@pytest.mark.parametrize("name", ["", "PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION", "1BAD NAME", "A=B", "ä"])
def test_env_names_that_cannot_be_are_refused(name: str) -> None:
    assert validation.env_name(name)


@pytest.mark.parametrize(
    "image", ["", "case/UPPER", "a b", "x:", "repo//name", "name@sha256:short", "http://x/y", "x" * 1025]
)
def test_bad_image_references_are_refused(image: str) -> None:
    assert validation.image(image)


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "gcr.io/knative-samples/helloworld-go",
        "localhost:5000/a/b:1.2-rc_3",
        "a.b/c@sha256:" + "0" * 64,
        "r/x:v1@sha256:" + "f" * 64,
    ],
)
def test_good_image_references_pass(image: str) -> None:
    assert validation.image(image) is None


def test_a_value_of_a_megabyte_is_refused() -> None:
    assert validation.env_value("x" * 1_000_000)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(20, "20s"), (190, "3m"), (5 * 3600, "5h"), (9 * 86400 + 5, "9d"), (0, "0s"), (400 * 86400, "1y")],
)
def test_ages_are_written_as_kn_writes_them(seconds: int, text: str) -> None:
    assert kn.age(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (190, "3m10s"),
        (659, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (47 * 3600, "47h"),
        (52 * 3600, "2d4h"),
        (9 * 86400 + 3600, "9d"),
        (800 * 86400, "2y70d"),
        (-1, "0s"),
        (-60, "<invalid>"),
    ],
)
def test_ages_in_lists_are_finer_while_they_are_short(seconds: int, text: str) -> None:
    assert kn.list_age(NOW - timedelta(seconds=seconds), NOW) == text


def test_a_row_of_the_revision_list_has_what_kn_prints() -> None:
    service = Service(factories.service())
    row = kn.revision_row(Revision(factories.revision(number=4)), service, NOW)
    assert (row.name, row.service, row.traffic, row.tags, row.generation) == (
        "shop-00004",
        "shop",
        "10%",
        "canary,next",
        "4",
    )
    assert (row.age, row.conditions, row.ready, row.reason) == ("20d", "3 OK / 4", "True", "")


@pytest.mark.parametrize(
    ("counts", "wanted", "p"),
    [
        ({"a": 100, "b": 50, "c": 50}, {"a": 50, "b": 25, "c": 25}, 1.0),
        ({"a": 60, "b": 40}, {"a": 50, "b": 50}, 0.0455),
    ],
)
def test_the_chi_square_test_gives_the_values_of_the_tables(
    counts: dict[str, int], wanted: dict[str, int], p: float
) -> None:
    fit = shares.fit(counts, wanted)
    assert fit is not None
    assert fit.p_value == pytest.approx(p, abs=0.0001)


def test_an_answer_from_a_revision_that_should_get_nothing_never_fits() -> None:
    fit = shares.fit({"a": 99, "b": 1}, {"a": 100})
    assert fit is not None
    assert not fit.is_plausible
