"""Where the releases of Knative Serving differ: each case as 1.15 answers it, and as 1.23 does."""

from __future__ import annotations

import pytest

from tests.contract.client import CONTAINER, SERVING, Change, Namespace, Object, env, put, service, to, traffic
from tests.waiting import eventually

WEBHOOK = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: '
SPEC = ("spec", "template", "spec")
FIRST = "spec.template.spec.containers[0]"
VOLUME = "spec.template.spec.volumes[0]"
NO_SOURCE = ", ".join(f"{VOLUME}.{source}" for source in ("configMap", "emptyDir", "projected", "secret"))
Outcome = tuple[int, str]
TAKEN: Outcome = (201, "")


def denied(message: str) -> Outcome:
    """What the webhook says."""
    return 400, WEBHOOK + message


def duplicate(field: str, value: str) -> Outcome:
    """What the schema of a list that has a key says."""
    return 422, f'Service.serving.knative.dev "greet" is invalid: {field}: Duplicate value: {value}'


def disabled(kind: str, field: str) -> Outcome:
    return denied(
        f"{kind} volume support is disabled, but found {kind} volume v: \nmust not set the field(s): {VOLUME}.{field}"
    )


def both(*changes: Change) -> Change:
    def change(obj: Object) -> None:
        for each in changes:
            each(obj)

    return change


def volumes(*sources: Object, names: str = "v", paths: tuple[str, ...] = ("/v",)) -> Change:
    """Volumes of these names (a letter each), mounted at the paths in turn."""
    listed = [{"name": name, **source} for name, source in zip(names, sources, strict=True)]
    mounts = [{"name": name, "mountPath": path} for name, path in zip(names, paths, strict=False)]
    return both(put(*SPEC, "volumes", value=listed), put(*CONTAINER, "volumeMounts", value=mounts))


def startup(**probe: object) -> Change:
    return put(*CONTAINER, "startupProbe", value=probe)


MAP = {"configMap": {"name": "a"}}
ORPHAN = denied(f"expected exactly one, got neither: {NO_SOURCE}")
HTTP = {"path": "/", "port": 8080}
# The change, what 1.15 says, what 1.23 says.
CASES: dict[str, tuple[Change, Outcome, Outcome]] = {
    "variable-twice": (env(("A", "1"), ("A", "2")), TAKEN, duplicate(f"{FIRST}.env[1]", '{"name":"A"}')),
    "volume-twice": (
        volumes(MAP, MAP, names="vv"),
        denied('duplicate volume name "v": spec.template.spec.volumes[1].name'),
        duplicate("spec.template.spec.volumes[1]", '{"name":"v"}'),
    ),
    "mount-twice": (
        volumes(MAP, MAP, names="vw", paths=("/v", "/v")),
        denied(f'invalid value: "/v" must be unique: {FIRST}.volumeMounts[1].mountPath'),
        duplicate(f"{FIRST}.volumeMounts[1]", '{"mountPath":"/v"}'),
    ),
    "pull-secret-twice": (
        put(*SPEC, "imagePullSecrets", value=[{"name": "a"}, {"name": "a"}]),
        TAKEN,
        duplicate("spec.template.spec.imagePullSecrets[1]", '{"name":"a"}'),
    ),
    "port-twice": (
        put(*CONTAINER, "ports", value=[{"containerPort": 8080}, {"containerPort": 8080}]),
        duplicate(f"{FIRST}.ports[1]", '{"containerPort":8080,"protocol":"TCP"}'),
        denied(
            "more than one container port is set: spec.template.spec.containers[*].ports\n"
            "Only a single port is allowed across all containers"
        ),
    ),
    **{
        field: (
            put(*SPEC, field, value=True),
            TAKEN,  # dropped as unknown, with a warning
            denied(f"must not set the field(s): spec.template.spec.{field}"),
        )
        for field in ("hostNetwork", "hostPID", "hostIPC")
    },
    "networking-annotation": (
        put("spec", "template", "metadata", "annotations", value={"networking.knative.dev/bogus": "x"}),
        TAKEN,
        denied('invalid key name "networking.knative.dev/bogus": spec.template.metadata.annotations'),
    ),
    "privileged": (
        put(*CONTAINER, "securityContext", value={"privileged": True}),
        TAKEN,  # dropped as unknown
        denied(f"must not set the field(s): {FIRST}.securityContext.privileged"),
    ),
    "host-path": (volumes({"hostPath": {"path": "/x"}}), ORPHAN, disabled("HostPath", "hostPath")),
    "csi": (volumes({"csi": {"driver": "d"}}), ORPHAN, disabled("CSI", "csi")),
    "ephemeral": (
        volumes({"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}}),
        ORPHAN,
        disabled("Ephemeral", "ephemeral"),
    ),
    "image-volume": (volumes({"image": {"reference": "a/b"}}), ORPHAN, disabled("Image", "image")),
    "mount-propagation": (
        both(volumes(MAP), put(*CONTAINER, "volumeMounts", 0, "mountPropagation", value="HostToContainer")),
        TAKEN,  # dropped as unknown
        denied(
            "Volume Mount Propagation support is disabled, but found volume mount v with mount propagation: \n"
            f"must not set the field(s): {FIRST}.volumeMounts[0].mountPropagation"
        ),
    ),
    "startup-of-nothing": (
        startup(),
        TAKEN,
        denied(
            "expected exactly one, got neither: "
            + ", ".join(f"{FIRST}.startupProbe.{kind}" for kind in ("exec", "grpc", "httpGet", "tcpSocket"))
        ),
    ),
    "startup-of-two": (
        startup(httpGet=HTTP, tcpSocket={"port": 8080}),
        TAKEN,
        denied(f"expected exactly one, got both: {FIRST}.startupProbe.httpGet, {FIRST}.startupProbe.tcpSocket"),
    ),
    "claims-of-resources": (
        put(*CONTAINER, "resources", value={"claims": [{"name": "a"}]}),
        denied(f"must not set the field(s): {FIRST}.resources.claims"),
        TAKEN,  # dropped as unknown
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_one_takes_and_the_other_refuses(shared: Namespace, knative: tuple[int, ...], case: str) -> None:
    change, old, new = CASES[case]
    manifest = service()
    change(manifest)
    answer = shared.api.post(shared.path("services"), manifest)
    shared.api.delete(shared.path("services", "greet"))
    assert (answer.code, answer.body.get("message", "")) == (new if knative >= (1, 21) else old)


def test_the_time_that_a_template_was_made(ns: Namespace, knative: tuple[int, ...]) -> None:
    """The libraries of 1.15 write null where there is none."""
    metadata = ns.create().body["spec"]["template"]["metadata"]
    assert metadata == ({} if knative >= (1, 21) else {"creationTimestamp": None})


def test_traffic_to_another_services_revision(ns: Namespace, knative: tuple[int, ...]) -> None:
    for name in ("greet", "other"):
        assert ns.create(name).code == 201
    ns.settle()
    ns.settle(name="other")
    assert ns.update(traffic(to("other-00001", 100))).code == 200
    found = ns.settle("False" if knative >= (1, 21) else "True")
    conditions = {one["type"]: (one.get("reason", ""), one.get("message", "")) for one in found["status"]["conditions"]}
    why = ("RevisionNotOwned", 'Revision "other-00001" belongs to Service "other", not Service "greet".')
    assert conditions["RoutesReady"] == (why if knative >= (1, 21) else ("", ""))


def test_a_route_without_a_service_may_send_to_any_revision(ns: Namespace) -> None:
    assert ns.create().code == 201
    ns.settle()
    kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Route", "metadata": {"name": "alone"}}
    route = {**kind, "spec": {"traffic": [to("greet-00001", 100)]}}
    assert ns.api.post(f"{SERVING}/namespaces/{ns.name}/routes", route).code == 201

    def is_ready() -> bool:
        conditions = ns.get("routes", "alone").get("status", {}).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    eventually(is_ready, timeout=30)
