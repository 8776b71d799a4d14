"""What holds for every service and every change: nothing else is touched, nothing is lost, no value is shown."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console.knative import changes, diff, paths
from console.knative.changes import (
    ChangeRefused,
    EnvEntry,
    EnvSource,
    KeepDigest,
    ReplaceManifest,
    SetEnv,
    SetEnvFrom,
    SetVolumes,
    SplitTraffic,
)
from console.knative.changes.base import Change
from console.knative.objects import Service
from console.knative.redaction import MASK, env_values, mask_env, redact_text, seal_env
from console.knative.traffic import TrafficTarget
from tests import factories
from tests.knative import strategies
from tests.knative.test_changes import FOLLOWERS, NAME, every_change
from tests.sweeps import examples

slow = settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])
more_changes = st.one_of(
    every_change.filter(lambda change: getattr(change, "container", "app") == "app"),
    st.just(SetVolumes("app", (("/var/My.Cache", "empty-dir", ""), ("/etc/tls", "secret", "tls.example.com")))),
    st.just(KeepDigest("app", "sha256:" + "b" * 64)),
)


@slow
@given(strategies.services(), more_changes)
def test_a_change_of_any_service_alters_only_the_fields_that_it_names(raw: dict[str, Any], change: Change) -> None:
    untouched = copy.deepcopy(raw)
    after = change.apply(Service(raw))
    assert raw == untouched
    for row in diff.diff(raw, after.raw):
        named = any(paths.overlap(row.path, path) for path in change.touches())
        assert named or row.path in FOLLOWERS, row.field
    others = [c for c in raw["spec"]["template"]["spec"]["containers"] if c["name"] != "app"]
    assert [c.raw for c in after.containers if c.name != "app"] == others, "sidecars stay byte for byte"


@slow
@given(strategies.services(), more_changes)
def test_a_change_made_twice_is_made_once(raw: dict[str, Any], change: Change) -> None:
    """A worker that dies and another that goes on may both apply it. Mounting refuses a path that is taken."""
    if not isinstance(change, SetVolumes):
        once = change.apply(Service(raw))
        assert change.apply(once).raw == once.raw


@slow
@given(strategies.services(), st.sampled_from(["TARGET", "PASSWORD", "DB"]), strategies.values)
def test_a_variable_set_and_set_back_leaves_the_service_as_it_was(raw: dict[str, Any], name: str, value: str) -> None:
    env = next(c for c in raw["spec"]["template"]["spec"]["containers"] if c["name"] == "app").get("env", [])
    before = [entry for entry in env if entry["name"] == name]
    if len(before) > 1 or any("valueFrom" in entry for entry in before):
        return  # a duplicate is put right for good; a reference comes back by its own entry
    there = SetEnv("app", (EnvEntry(name, value),)).apply(Service(raw))
    entry = EnvEntry(name, before[0].get("value", "")) if before else None
    back = SetEnv("app", (entry,) if entry else (), () if entry else (name,)).apply(there)
    assert [row for row in diff.diff(raw, back.raw) if row.path != NAME] == []


@slow
@given(strategies.services())
def test_the_manifest_that_was_shown_changes_nothing_when_it_comes_back(raw: dict[str, Any]) -> None:
    """Values behind masks, duplicates, init containers and a taken revision name included."""
    service = Service(raw)
    shown = mask_env(raw)
    after = ReplaceManifest(shown).apply(service)
    assert diff.diff(raw, after.raw) == ()
    assert after.spec == service.spec


@slow
@given(strategies.services(), st.data())
def test_whatever_differs_is_told(raw: dict[str, Any], data: st.DataObject) -> None:
    """One place is edited: an entry moved, doubled, taken away or put in, a value replaced, a field removed."""
    edited = copy.deepcopy(raw)
    strategies.edit_somewhere(edited["spec"], data)
    assert diff.diff(raw, raw) == ()
    assert bool(diff.diff(raw, edited)) == (_meaning(raw) != _meaning(edited))
    assert diff.creates_revision(Service(raw), Service(edited)) == (
        _meaning(raw["spec"].get("template")) != _meaning(edited["spec"].get("template"))
    )


@slow
@given(strategies.services(), strategies.services())
def test_no_difference_shows_a_value(one: dict[str, Any], other: dict[str, Any]) -> None:
    shown = str(diff.diff(one, other)) + str(diff.diff({}, one)) + str(diff.diff(one, {}))
    for value in strategies.literal_values(one) | strategies.literal_values(other):
        assert repr(value)[1:-1] not in shown
        assert json.dumps(value)[1:-1] not in shown


@slow
@given(strategies.services())
def test_no_value_survives_sealing_or_masking(raw: dict[str, Any]) -> None:
    for hidden in (mask_env(raw), seal_env(raw, b"key")):
        assert not env_values(hidden) & env_values(raw)
        assert diff.diff(mask_env(hidden), mask_env(raw)) == (), "nothing but values is hidden"


@slow
@given(strategies.services(), more_changes)
def test_a_change_and_the_service_survive_the_database(raw: dict[str, Any], change: Change) -> None:
    """Through JSON text, as the database keeps it."""
    for each in (change, ReplaceManifest(raw), SplitTraffic(Service(raw).spec_traffic)):
        loaded = changes.load(json.loads(json.dumps(changes.dump(each))))
        assert loaded == each
        assert _applied(loaded, raw) == _applied(each, raw)


def _applied(change: Change, raw: dict[str, Any]) -> object:
    """What the change makes of the service, or why it cannot: a share needs a revision that is ready, for example."""
    try:
        return change.apply(Service(raw)).raw
    except ChangeRefused as refusal:
        return refusal.problem


@slow
@given(strategies.services())
def test_a_split_that_is_sent_back_as_shown_changes_no_target(raw: dict[str, Any]) -> None:
    """The editor knows revision, percent and tag of each row, nothing more."""
    service = Service(raw)
    rows = tuple(TrafficTarget(None if t.is_latest else t.revision, t.percent, t.tag) for t in service.spec_traffic)
    keys = [(t.name, t.tag) for t in rows]
    if len(set(keys)) == len(keys) and raw["spec"].get("traffic"):
        assert SplitTraffic(rows).apply(service).raw == raw


@slow
@given(strategies.services(), st.data())
def test_a_spoilt_manifest_is_refused_with_a_problem_or_can_be_shown(raw: dict[str, Any], data: st.DataObject) -> None:
    """People write it by hand: whatever they write, the page can say what is wrong or what would change."""
    manifest = mask_env(raw)
    strategies.spoil_somewhere(manifest, data)
    service = Service(raw)
    try:
        after = ReplaceManifest(manifest).apply(service)
    except ChangeRefused:
        return
    shown = str(diff.diff(raw, after.raw)) + json.dumps(mask_env(after.raw)) + str(after.truth)
    assert all(repr(value)[1:-1] not in shown for value in strategies.literal_values(raw))


@given(st.text(min_size=8), st.text(), st.text())
@example('say "it"', "", "")
@example("line one is long\nline two is long", "", "")
def test_a_value_is_found_in_texts_however_it_is_written(secret: str, before: str, after: str) -> None:
    for written in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert written not in redact_text(f"{before}{written}{after}", [secret]).replace(MASK, "\x00")


def test_removing_a_source_of_variables_and_adding_it_again_keeps_the_others() -> None:
    before = Service(factories.service())
    without = SetEnvFrom("app", (), (EnvSource("secret", "shop-env"),)).apply(before)
    again = SetEnvFrom("app", (EnvSource("secret", "shop-env"),)).apply(without)
    assert [row.path[-1] for row in diff.diff(before.raw, again.raw)] == ["name", "envFrom"]  # the order is another


def _meaning(value: Any) -> Any:
    """The JSON without what the API does not tell from absence."""
    if isinstance(value, dict):
        kept = {k: _meaning(v) for k, v in value.items()}
        hollow = {"metadata", "labels", "annotations", "resources", "requests", "env", "envFrom", "command", "args"}
        hollow |= {"volumeMounts", "volumes", "ports", "imagePullSecrets", "nodeSelector", "limits", "initContainers"}
        return {
            k: v
            for k, v in kept.items()
            if v is not None and not (k in hollow and v in ({}, [])) and not (k == "value" and v == "")
        }
    return [_meaning(entry) for entry in value] if isinstance(value, list) else value
