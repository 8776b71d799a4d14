"""What the sandbox's webhooks do beyond the recording: stamps, wrong types, hard cases, and never a crash."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sandbox.errors import StatusError
from console.sandbox.knative.admission import admit
from console.sandbox.knative.seed_demo import SERVICES as DEMO
from console.sandbox.resources import CONFIGMAPS, SERVICES
from tests.sandbox.knative_world import Object, set_env, set_traffic

PREFIX = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: '
CREATOR, MODIFIER = "serving.knative.dev/creator", "serving.knative.dev/lastModifier"


def checkout() -> Object:
    """The hardest manifest of the demo, as a person would write it."""
    seeded = next(each for each in DEMO if each.name == "checkout")
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "checkout", "namespace": "payments"},
        "spec": {"template": copy.deepcopy(dict(seeded.revisions[-1].template))},
    }


@pytest.fixture
def service() -> Object:
    return admit("create", SERVICES, None, checkout(), "alice")


def refused(old: Object | None, new: Object) -> StatusError:
    with pytest.raises(StatusError) as caught:
        admit("update" if old else "create", SERVICES, old, new, "bob")
    return caught.value


def problems(old: Object | None, new: Object) -> list[str]:
    message = refused(old, new).message
    assert message.startswith(PREFIX)
    return message.removeprefix(PREFIX).splitlines()


def changed(service: Object, *path: Any, value: Any) -> Object:
    copied = copy.deepcopy(service)
    at = copied
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copied


FIRST = "spec.template.spec.containers[0]"
SCALING = "spec.template.metadata.annotations.autoscaling.knative.dev"
CONTAINER = ("spec", "template", "spec", "containers", 0)


def test_who_made_it_and_who_changed_its_spec(service: Object) -> None:
    assert service["metadata"]["annotations"] == {CREATOR: "alice", MODIFIER: "alice"}
    edited = copy.deepcopy(service)
    set_env("A", "b")(edited)
    stamped = admit("update", SERVICES, service, edited, "bob")
    assert stamped["metadata"]["annotations"] == {CREATOR: "alice", MODIFIER: "bob"}
    relabelled = changed(service, "metadata", "labels", value={"team": "payments"})
    assert admit("update", SERVICES, service, relabelled, "bob")["metadata"]["annotations"][MODIFIER] == "alice"


def test_annotations_of_the_maker_may_not_be_left_out(service: Object) -> None:
    bare = changed(service, "metadata", "annotations", value={})
    assert problems(service, bare) == [
        f"annotation value is immutable: metadata.annotations.{CREATOR}",
        f"invalid value: : metadata.annotations.{MODIFIER}",
    ]


def test_the_input_is_left_as_it_was_and_admission_is_stable(service: Object) -> None:
    given_service = checkout()
    before = copy.deepcopy(given_service)
    admit("create", SERVICES, None, given_service, "alice")
    assert given_service == before
    assert admit("update", SERVICES, service, service, "bob") == service


def test_nothing_of_a_hard_manifest_is_lost(service: Object) -> None:
    def contains(whole: Any, part: Any) -> bool:
        if isinstance(part, dict):
            return all(contains(whole[key], value) for key, value in part.items())
        if isinstance(part, list):
            return len(whole) == len(part) and all(map(contains, whole, part))
        return bool(whole == part)

    assert contains(service, checkout())
    mounts = service["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert [mount.get("readOnly", False) for mount in mounts] == [True, True, True, False]  # emptyDir is writable


def test_other_kinds_pass_as_they_are() -> None:
    settings = {"metadata": {"name": "x"}, "data": {"a": "b"}}
    assert admit("create", CONFIGMAPS, None, settings, "alice") is settings


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            (*CONTAINER, "ports"),
            [{"containerPort": 8012}],
            [
                "invalid value: 8012 is a reserved port: spec.template.spec.containers[0].ports.containerPort",
                "8012 is a reserved port, please use a different value",
            ],
        ),
        ((*CONTAINER, "name"), "queue-proxy", [f'"queue-proxy" is a reserved container name: {FIRST}.name']),
        ((*CONTAINER, "image"), "", [f"missing field(s): {FIRST}.image"]),
        (
            ("spec", "template", "spec", "nodeSelector"),
            {"a": "b"},
            ["must not set the field(s): spec.template.spec.nodeSelector"],
        ),
        (
            ("spec", "template", "metadata", "annotations"),
            {"autoscaling.knative.dev/min-scale": "5", "autoscaling.knative.dev/max-scale": "2"},
            [
                f"max-scale=2 is less than min-scale=5: {SCALING}/max-scale, {SCALING}/min-scale"
            ],
        ),
        (("spec", "traffic"), [{"configurationName": "x", "percent": 100}],
         ["must not set the field(s): spec.traffic[0].configurationName"]),
    ],
)  # fmt: skip
def test_what_the_webhook_refuses_beyond_the_recording(
    service: Object, path: tuple[Any, ...], value: Any, expected: list[str]
) -> None:
    assert problems(service, changed(service, *path, value=value)) == expected


def test_several_problems_are_told_at_once_ordered_by_message(service: Object) -> None:
    spoilt = changed(service, *CONTAINER, "env", value=[{"name": "PORT"}, {"name": "K_SERVICE"}, {"name": ""}])
    spoilt["spec"]["traffic"] = [{"revisionName": "checkout-00001", "percent": 40}]
    assert problems(service, spoilt) == [
        '"K_SERVICE" is a reserved environment variable: spec.template.spec.containers[0].env[1].name',
        '"PORT" is a reserved environment variable: spec.template.spec.containers[0].env[0].name',
        "Traffic targets sum to 40, want 100: spec.traffic",
        "missing field(s): spec.template.spec.containers[0].env[2].name",
    ]


@pytest.mark.parametrize("percent", [33.3, "50", True, 2**70])
def test_a_percent_that_is_no_whole_number_cannot_be_read(service: Object, percent: Any) -> None:
    spoilt = copy.deepcopy(service)
    set_traffic({"latestRevision": True, "percent": percent})(spoilt)
    error = refused(service, spoilt)
    assert error.code == 400
    assert "into Go struct field TrafficTarget.spec.RouteSpec.traffic.percent of type int64" in error.message


def test_the_clusters_policy_refuses_an_image(service: Object) -> None:
    error = refused(service, changed(service, *CONTAINER, "image", value="registry.example.com/demo/forbidden:1"))
    assert (error.code, error.reason) == (403, "Forbidden")
    assert 'admission webhook "validation.gatekeeper.sh" denied the request' in error.message


VALUES = st.sampled_from(
    [None, True, -1, 0, 1.5, 2**70, "", "x", "X_y", [], [None], [[]], ["x"], {}, {"x": None}, {"x": {}}, [{}]]
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


SERVICE = admit("create", SERVICES, None, checkout(), "alice")
PLACES = [place for place in places(SERVICE) if len(place) > 1 or place == ("spec",)]


@given(place=st.sampled_from(PLACES), value=VALUES)
def test_a_spoilt_service_is_refused_or_taken_but_never_crashes(place: tuple[Any, ...], value: Any) -> None:
    try:
        admit("update", SERVICES, SERVICE, changed(SERVICE, *place, value=value), "bob")
    except StatusError as refusal:
        code = refusal.code
    else:
        code = 200
    assert code in (200, 400, 422)
