"""What the API refuses, in its words, and what it takes although one might think otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.client import CONTAINER, GO, Change, Namespace, annotation, env, image, put, service, to, traffic
from tests.recording import response

PREFIX = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: '
FIRST = "spec.template.spec.containers[0]"
SPEC = ("spec", "template", "spec")
SCALING = "spec.template.metadata.annotations.autoscaling.knative.dev"
Told = Callable[[str, Any], Any]

# Steps of the recording: the message is the recorded one.
RECORDED: dict[str, Change] = {
    "split-sum-110": traffic(to("greet-00003", 50), to("greet-00002", 60)),
    "split-sum-90": traffic(to("greet-00003", 50), to("greet-00002", 40)),
    "split-out-of-range": traffic(to("greet-00003", 150), to("greet-00002", -50)),
    "split-dup-tag": traffic(to("greet-00003", 50, "blue"), to("greet-00002", 50, "blue")),
    "split-latest-and-name": traffic({"revisionName": "greet-00003", "latestRevision": True, "percent": 100}),
    "split-bad-tag": traffic(to("greet-00003", 100, "Bad_Tag")),
    "reserved-env": env(("PORT", "1")),
    "bad-image-ref": image("not a valid image!!"),
    "bad-concurrency": put(*SPEC, "containerConcurrency", value=-5),
    "bad-timeout": put(*SPEC, "timeoutSeconds", value=99999),
    "bad-minscale": annotation("autoscaling.knative.dev/min-scale", "-1"),
    "byo-name-bad-prefix": put("spec", "template", "metadata", "name", value="wrongprefix"),
    "creator-immutable": put("metadata", "annotations", "serving.knative.dev/creator", value="mallory"),
}
# Further ones: (change, message after the webhook's prefix).
FURTHER: dict[str, tuple[Change, str]] = {
    "env-k-service": (env(("K_SERVICE", "x")), f'"K_SERVICE" is a reserved environment variable: {FIRST}.env[0].name'),
    "env-k-revision": (
        env(("K_REVISION", "x")),
        f'"K_REVISION" is a reserved environment variable: {FIRST}.env[0].name',
    ),
    "env-k-configuration": (
        env(("A", "b"), ("K_CONFIGURATION", "x")),
        f'"K_CONFIGURATION" is a reserved environment variable: {FIRST}.env[1].name',
    ),
    "env-without-a-name": (env(("", "x")), f"missing field(s): {FIRST}.env[0].name"),
    "image-missing": (image(""), f"missing field(s): {FIRST}.image"),
    "reserved-container-name": (
        put(*CONTAINER, "name", value="queue-proxy"),
        f'"queue-proxy" is a reserved container name: {FIRST}.name',
    ),
    "node-selector": (
        put(*SPEC, "nodeSelector", value={"a": "b"}),
        "must not set the field(s): spec.template.spec.nodeSelector",
    ),
    "concurrency-1001": (
        put(*SPEC, "containerConcurrency", value=1001),
        "expected 0 <= 1001 <= 1000: spec.template.spec.containerConcurrency",
    ),
    "timeout-negative": (
        put(*SPEC, "timeoutSeconds", value=-1),
        "expected 0 <= -1 <= 600: spec.template.spec.timeoutSeconds",
    ),
    "max-below-min": (
        put(
            "spec", "template", "metadata", "annotations",
            value={"autoscaling.knative.dev/min-scale": "5", "autoscaling.knative.dev/max-scale": "2"},
        ),
        f"max-scale=2 is less than min-scale=5: {SCALING}/max-scale, {SCALING}/min-scale",
    ),
    "min-scale-not-a-number": (
        annotation("autoscaling.knative.dev/min-scale", "two"),
        f"invalid value: two: {SCALING}/min-scale",
    ),
    "autoscaler-class-unknown-metric": (
        annotation("autoscaling.knative.dev/metric", "luck"),
        f"invalid value: luck: {SCALING}/metric",
    ),
    "configuration-in-a-service": (
        traffic({"configurationName": "x", "percent": 100}),
        "must not set the field(s): spec.traffic[0].configurationName",
    ),
    "latest-false-without-a-name": (
        traffic({"latestRevision": False, "percent": 100}),
        "may not set revisionName \"\" when latestRevision is false: spec.traffic[0].latestRevision",
    ),
    "split-sum-0": (
        traffic(to("greet-00003", 0), to("greet-00002", 0)),
        "Traffic targets sum to 0, want 100: spec.traffic",
    ),
    "split-101": (
        traffic(to("greet-00003", 101)),
        "Traffic targets sum to 101, want 100: spec.traffic\nexpected 0 <= 101 <= 100: spec.traffic[0].percent",
    ),
    "target-url-set": (
        traffic(to("greet-00003", 100) | {"url": "http://x"}),
        "must not set the field(s): spec.traffic[0].url",
    ),
    "two-ports": (
        put(*CONTAINER, "ports", value=[{"containerPort": 8080}, {"containerPort": 8081}]),
        "more than one container port is set: spec.template.spec.containers[*].ports\n"
        "Only a single port is allowed across all containers",
    ),
    "two-containers-without-a-port": (
        put(*SPEC, "containers", value=[{"name": "a", "image": GO}, {"name": "b", "image": GO}]),
        "missing field(s): spec.template.spec.containers[*].ports",
    ),
    "reserved-port": (
        put(*CONTAINER, "ports", value=[{"containerPort": 8012}]),
        f"invalid value: 8012 is a reserved port: {FIRST}.ports.containerPort\n"
        "8012 is a reserved port, please use a different value",
    ),
    "volume-mount-unknown": (
        put(*CONTAINER, "volumeMounts", value=[{"name": "v", "mountPath": "/v"}]),
        f"volumeMount has no matching volume: {FIRST}.volumeMounts[0].name",
    ),
    "volume-unused": (
        put(*SPEC, "volumes", value=[{"name": "v", "configMap": {"name": "x"}}]),
        "volume with name \"v\" not mounted: spec.template.spec.volumes[0].name",
    ),
    "probe-bad-port": (
        put(*CONTAINER, "readinessProbe", value={"httpGet": {"path": "/"}, "timeoutSeconds": -1}),
        f"timeoutSeconds is disallowed when periodSeconds is zero: {FIRST}.readinessProbe.timeoutSeconds",
    ),
}  # fmt: skip
TAKEN: dict[str, Change] = {
    "any-visibility": put("metadata", "labels", "networking.knative.dev/visibility", value="public"),
    "odd-env-name": env(("1BAD NAME", "x")),
    "unknown-revision": traffic(to("greet-00099", 100)),
    "zero-percent-tag": traffic(to("greet-00003", 100), to("greet-00001", 0, "old")),
    "empty-traffic": put("spec", "traffic", value=[]),
    "same-revision-twice": traffic(to("greet-00003", 50, "a"), to("greet-00003", 50, "b")),
    "concurrency-1000": put(*SPEC, "containerConcurrency", value=1000),
    "timeout-600": put(*SPEC, "timeoutSeconds", value=600),
    "empty-env-value": env(("A", "")),
    "secret-that-is-not-there": put(
        *CONTAINER, "env", value=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "no", "key": "k"}}}]
    ),
}


@pytest.fixture(scope="module")
def greet(shared: Namespace) -> Namespace:
    """A namespace with the Service greet of three revisions, settled."""
    assert shared.create().code == 201
    shared.settle()
    for value in ("Second", "Third"):
        assert shared.update(env(("TARGET", value))).code == 200
        shared.settle()
    return shared


@pytest.mark.parametrize("case", RECORDED)
def test_a_recorded_refusal(greet: Namespace, told: Told, release: str, case: str) -> None:
    before = greet.get()
    code, recorded = response(case, release)
    refused = greet.update(RECORDED[case])
    assert refused.refusal == told(case, (code, recorded["reason"], recorded["message"]))
    assert greet.get()["metadata"]["generation"] == before["metadata"]["generation"]


@pytest.mark.parametrize("case", FURTHER)
def test_a_further_refusal(greet: Namespace, told: Told, case: str) -> None:
    change, message = FURTHER[case]
    assert greet.update(change).refusal == told(case, (400, "BadRequest", PREFIX + message))


@pytest.mark.parametrize("case", RECORDED)
def test_a_dry_run_is_refused_in_the_same_words(greet: Namespace, case: str) -> None:
    refused = greet.update(RECORDED[case], query="?dryRun=All")
    assert refused.refusal == greet.update(RECORDED[case]).refusal


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_taken(greet: Namespace, case: str) -> None:
    assert greet.update(TAKEN[case], query="?dryRun=All").code == 200


def test_several_problems_are_told_at_once(greet: Namespace) -> None:
    refused = greet.update(env(("PORT", "1"), ("K_SERVICE", "x")), traffic(to("greet-00003", 40)))
    assert refused.body["message"] == (
        f'{PREFIX}"K_SERVICE" is a reserved environment variable: {FIRST}.env[1].name\n'
        f'"PORT" is a reserved environment variable: {FIRST}.env[0].name\n'
        "Traffic targets sum to 40, want 100: spec.traffic"
    )


@pytest.mark.parametrize(("step", "name"), [("create-bad-name", "Greet_X"), ("create-name-too-long", "x" * 64)])
def test_a_name_that_cannot_be(greet: Namespace, release: str, step: str, name: str) -> None:
    code, recorded = response(step, release)
    answer = greet.create(name)
    assert answer.refusal == (code, recorded["reason"], recorded["message"])
    assert answer.body.get("details") == recorded.get("details")


def test_a_name_that_is_taken(greet: Namespace, release: str) -> None:
    code, recorded = response("create-exists", release)
    answer = greet.create("greet")
    assert (answer.code, answer.body) == (code, recorded)


def test_a_name_that_is_missing(greet: Namespace, release: str) -> None:
    code, recorded = response("get-missing", release)
    answer = greet.api.get(greet.path("services", "nope"))
    assert (answer.code, answer.body) == (code, recorded)


def test_a_template_with_its_own_name_may_not_change_under_it(ns: Namespace) -> None:
    ns.create("greet", put("spec", "template", "metadata", "name", value="greet-custom"))
    ns.settle()
    refused = ns.update(env(("TARGET", "Second")))
    assert refused.refusal == (
        400,
        "BadRequest",
        f"{PREFIX}Saw the following changes without a name change (-old +new): spec.template.metadata.name\n"
        "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].Env[0].Value:\n"
        '\t-: "First"\n\t+: "Second"\n',
    )


def test_a_revision_never_changes_its_spec(greet: Namespace, release: str) -> None:
    _, recorded = response("revision-spec-immutable", release)
    refused = greet.update(put("spec", "containerConcurrency", value=7), name="greet-00001", plural="revisions")
    assert refused.refusal == (400, "BadRequest", recorded["message"])


@pytest.mark.parametrize("percent", [33.3, "50", True])
def test_a_percent_that_is_no_whole_number(greet: Namespace, percent: Any) -> None:
    refused = greet.update(traffic({"latestRevision": True, "percent": percent}))
    assert refused.code == 400
    wanted = "into Go struct field TrafficTarget.spec.RouteSpec.traffic.percent of type int64"
    assert wanted in refused.body["message"]


def test_an_unknown_field_when_strict(greet: Namespace, release: str) -> None:
    code, recorded = response("unknown-field", release)
    refused = greet.update(put("spec", "bogus", value=1), query="?fieldValidation=Strict")
    assert (refused.code, refused.body) == (code, recorded)


def test_an_unknown_field_inside_the_template_when_strict(greet: Namespace) -> None:
    refused = greet.update(put(*CONTAINER, "imagee", value="x"), query="?fieldValidation=Strict")
    assert refused.body["message"].endswith(
        'strict decoding error: unknown field "spec.template.spec.containers[0].imagee"'
    )


@pytest.mark.parametrize("field", ["spec.bogus", "spec.template.spec.hostname"])
def test_an_unknown_field_is_else_dropped_with_a_warning(greet: Namespace, field: str) -> None:
    """Fields of a pod that Knative's schema leaves out are unknown as well."""
    answer = greet.update(put(*field.split("."), value=True), query="?dryRun=All&fieldValidation=Warn")
    assert answer.code == 200
    at = answer.body
    for step in field.split(".")[:-1]:
        at = at[step]
    assert field.rsplit(".", maxsplit=1)[-1] not in at
    assert f'299 - "unknown field \\"{field}\\""' in answer.headers["Warning"]


def test_an_unknown_field_is_ignored_without_a_word_when_asked(greet: Namespace) -> None:
    answer = greet.update(put("spec", "bogus", value=1), query="?dryRun=All&fieldValidation=Ignore")
    assert answer.code == 200
    assert "unknown field" not in answer.headers.get("Warning", "")


def test_a_patch_with_an_unknown_field_is_refused_without_a_kind(greet: Namespace) -> None:
    """kubectl prints such a refusal as that of "the request"."""
    answer = greet.api.merge(greet.path("services", "greet") + "?fieldValidation=Strict", {"spec": {"bogus": 1}})
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.body["message"].startswith(' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":')
    assert answer.body["message"].endswith('": strict decoding error: unknown field "spec.bogus"')
    assert answer.body["details"].keys() == {"causes"}


def test_a_new_service_without_a_container(greet: Namespace, release: str) -> None:
    code, recorded = response("create-no-container", release)
    answer = greet.create("empty", put(*SPEC, value={"containers": []}))
    assert answer.refusal == (code, recorded["reason"], recorded["message"])


def test_taking_the_containers_away(greet: Namespace) -> None:
    answer = greet.update(put(*SPEC, value={}))
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")


def test_a_service_of_another_version(greet: Namespace) -> None:
    assert greet.api.post(greet.path("services"), service("x") | {"apiVersion": "serving.knative.dev/v9"}).code == 400


def test_a_service_that_calls_itself_a_route(greet: Namespace) -> None:
    """Knative's defaulting webhook mends the kind before anybody looks."""
    answer = greet.api.post(greet.path("services") + "?dryRun=All", service("x") | {"kind": "Route"})
    assert (answer.code, answer.body["kind"]) == (201, "Service")


def test_a_service_for_another_namespace(greet: Namespace) -> None:
    manifest = service("x")
    manifest["metadata"]["namespace"] = "default"
    refused = greet.api.post(greet.path("services"), manifest)
    assert refused.refusal == (
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    )


def test_a_service_in_a_namespace_that_is_missing(greet: Namespace) -> None:
    answer = Namespace(greet.api, "nowhere-to-be").create("greet")
    assert answer.refusal == (404, "NotFound", 'namespaces "nowhere-to-be" not found')
