"""One edit of one field of a form, and the service that must come of it: the same but for that field."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.browser import Form
from tests.support.manifests import Object

AUTOSCALING = "autoscaling.knative.dev/"
USER_IMAGE = "client.knative.dev/user-image"
VISIBILITY = "networking.knative.dev/visibility"
OLD_NAMES = {
    "min-scale": "minScale",
    "max-scale": "maxScale",
    "initial-scale": "initialScale",
    "target-utilization-percentage": "targetUtilizationPercentage",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """`type` fills the form in, and `wanted` does the same to the JSON of the service and the name of the container.

    `field`: the control that must be there, editable or shown as read-only.
    """

    field: str
    type: Callable[[Form], None]
    wanted: Callable[[Object, Object], None]
    on_template: bool = True
    hint: str = ""

    @property
    def name(self) -> str:
        return f"{self.field} {self.hint}".strip()

    def after(self, before: Object, container: str) -> Object:
        raw = copy.deepcopy(before)
        template = raw["spec"]["template"]
        if self.on_template:
            (template.get("metadata") or {}).pop("name", None)
        mine = next(one for one in template["spec"]["containers"] if one["name"] == container)
        self.wanted(raw, mine)
        return raw


def over(field: str, text: str, wanted: Callable[[Object, Object], None], **more: Any) -> Edit:
    """Type over what the field holds."""
    return Edit(field, lambda form: form.type(field, text), wanted, **more)


def row(field: str, wanted: Callable[[Object, Object], None], **texts: str) -> Edit:
    """Add a row."""

    def add(form: Form) -> None:
        form.add_row(field, **texts)

    return Edit(field, add, wanted, hint="and a row")


def more_lines(field: str, line: str, wanted: Callable[[Object, Object], None], **more: Any) -> Edit:
    """Write a further line."""

    def add(form: Form) -> None:
        present = form[field].value
        form.type(field, f"{present}\n{line}" if present else line)

    return Edit(field, add, wanted, hint="and a line", **more)


def pod(raw: Object) -> Object:
    found: Object = raw["spec"]["template"]["spec"]
    return found


def marks(raw: Object, kind: str, *, on_revision: bool) -> Object:
    owner = raw["spec"]["template"] if on_revision else raw
    if not owner.get("metadata"):
        owner["metadata"] = {}
    found: Object = owner["metadata"].setdefault(kind, {})
    return found


def scaled(field: str, annotation: str, value: str) -> Edit:
    """An annotation of scaling; a service that has only its older spelling keeps that one."""

    def wanted(raw: Object, _container: Object) -> None:
        found = marks(raw, "annotations", on_revision=True)
        old = AUTOSCALING + OLD_NAMES.get(annotation, "")
        found[old if old in found and AUTOSCALING + annotation not in found else AUTOSCALING + annotation] = value

    return over(field, value, wanted)


def _set(value: Any, *keys: str) -> Callable[[Object, Object], None]:
    """Set a field of the pod."""

    def wanted(raw: Object, _container: Object) -> None:
        pod(raw)[keys[0]] = value

    return wanted


def _inside(value: Any, *keys: str) -> Callable[[Object, Object], None]:
    """Set a field of the container, however deep."""

    def wanted(_raw: Object, container: Object) -> None:
        place = container
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value

    return wanted


def _appended(key: str, entry: Any, *, to_pod: bool = False) -> Callable[[Object, Object], None]:
    def wanted(raw: Object, container: Object) -> None:
        place = pod(raw) if to_pod else container
        place[key] = [*(place.get(key) or ()), entry]

    return wanted


def _port(_raw: Object, container: Object) -> None:
    ports = container.get("ports") or [{}]
    container["ports"] = [{**ports[0], "containerPort": 9999}, *ports[1:]]


def _mark(kind: str, *, on_revision: bool) -> Callable[[Object, Object], None]:
    def wanted(raw: Object, _container: Object) -> None:
        marks(raw, kind, on_revision=on_revision)["added"] = "x"

    return wanted


def _annotation(key: str, value: str) -> Callable[[Object, Object], None]:
    return lambda raw, _container: marks(raw, "annotations", on_revision=False).update({key: value})


def _folder(raw: Object, container: Object) -> None:
    """A mount of a new volume, whose name is the console's own affair: `renamed` makes it comparable."""
    container["volumeMounts"] = [*(container.get("volumeMounts") or ()), {"name": NEW, "mountPath": "/added"}]
    pod(raw)["volumes"] = [*(pod(raw).get("volumes") or ()), {"name": NEW, "emptyDir": {}}]


NEW = "the-new-volume"


def renamed(raw: Object, before: Object) -> Object:
    """The same with the name of a volume that was not there before written as NEW."""
    known = {volume["name"] for volume in pod(before).get("volumes") or ()}
    fresh = {volume["name"] for volume in pod(raw).get("volumes") or ()} - known
    raw = copy.deepcopy(raw)
    for holder in (pod(raw).get("volumes"), *(c.get("volumeMounts") for c in pod(raw)["containers"])):
        for entry in holder or ():
            if entry["name"] in fresh:
                entry["name"] = NEW
    return raw


def _toggle_local(form: Form) -> None:
    form.type("cluster_local", "off" if form["cluster_local"].is_checked else "on")


def _local(raw: Object, _container: Object) -> None:
    labels = marks(raw, "labels", on_revision=False)
    if labels.pop(VISIBILITY, "") != "cluster-local":
        labels[VISIBILITY] = "cluster-local"


_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")


def probe(field: str, which: str) -> Edit:
    """Another check; how often it is made stays."""

    def ask_by_tcp(form: Form) -> None:
        form.type(f"{field}-kind", "tcp")
        form.type(f"{field}-port", "9999")

    def wanted(_raw: Object, container: Object) -> None:
        present = container.get(which) or {}
        kept = {key: value for key, value in present.items() if key not in _HANDLERS}
        host = (present.get("httpGet") or {}).get("host")  # its control stays as it is
        socket = {**(present.get("tcpSocket") or {}), "port": 9999, **({"host": host} if host else {})}
        container[which] = {**kept, "tcpSocket": socket}

    return Edit(field, ask_by_tcp, wanted)


def of_probes(form: Form) -> Iterator[Edit]:
    """The same checks, at other intervals; a probe that is not set has none."""
    for field, which in (("readiness", "readinessProbe"), ("liveness", "livenessProbe"), ("startup", "startupProbe")):
        if f"{field}-kind" in form and form[f"{field}-kind"].value:
            wanted = _inside(1717, which, "periodSeconds")
            yield Edit(field, _types(f"{field}-period", "1717"), wanted, hint="its period")


def _mount_gone(raw: Object, container: Object, gone: Object) -> None:
    container["volumeMounts"].remove(gone)
    if not container["volumeMounts"]:
        del container["volumeMounts"]
    everyone = [*pod(raw)["containers"], *(pod(raw).get("initContainers") or ())]
    if not any(mount["name"] == gone["name"] for one in everyone for mount in one.get("volumeMounts") or ()):
        pod(raw)["volumes"] = [volume for volume in pod(raw)["volumes"] if volume["name"] != gone["name"]]
        if not pod(raw)["volumes"]:
            del pod(raw)["volumes"]


def of_mounts(path: str) -> tuple[Edit, ...]:
    """The first mount taken away, at another path, and with another subpath. `path`: where its row says it is."""

    def first(container: Object) -> Object:
        found: Object = next(mount for mount in container["volumeMounts"] if mount["mountPath"] == path)
        return found

    def changed(**fields: str) -> Callable[[Object, Object], None]:
        return lambda _raw, container: first(container).update(fields)

    return (
        Edit(
            "mounts",
            lambda form: form.remove_row("mounts", 0),
            lambda raw, container: _mount_gone(raw, container, first(container)),
            hint="without the first",
        ),
        Edit("mounts", _types("mounts-0-path", "/moved"), changed(mountPath="/moved"), hint="at another path"),
        Edit("mounts", _types("mounts-0-sub_path", "other"), changed(subPath="other"), hint="another subpath"),
    )


def _types(field: str, text: str) -> Callable[[Form], None]:
    return lambda form: form.type(field, text)


def of_sources() -> tuple[Edit, ...]:
    """The first source of variables taken away, and with another prefix."""

    def first_gone(_raw: Object, container: Object) -> None:
        del container["envFrom"][0]
        if not container["envFrom"]:
            del container["envFrom"]

    def other_prefix(_raw: Object, container: Object) -> None:
        container["envFrom"][0]["prefix"] = "OTHER_"

    return (
        Edit("env_from", lambda form: form.remove_row("env_from", 0), first_gone, hint="without the first"),
        Edit("env_from", _types("env_from-0-prefix", "OTHER_"), other_prefix, hint="another prefix"),
    )


def of_tolerations() -> tuple[Edit, ...]:
    """The first toleration with another key."""

    def wanted(raw: Object, _container: Object) -> None:
        pod(raw)["tolerations"][0]["key"] = "other"

    return (Edit("tolerations", _types("tolerations-0-key", "other"), wanted, hint="another key"),)


_OF_SEVERAL_CONTROLS = (
    *("readiness", "liveness", "startup"),
    *("mounts", "env_from", "tolerations", "other_resources"),
)


def can_be_edited(form: Form, field: str) -> bool:
    """The field is there, and not as read-only text."""
    is_of_several = field in (
        "readiness",
        "liveness",
        "startup",
        "mounts",
        "env_from",
        "tolerations",
        "other_resources",
    )
    if is_of_several:
        return f"{field}-kind" in form or f"{field}-TOTAL_FORMS" in form
    return form[field].is_editable


SCALE = (
    scaled("min", "min-scale", "5"),
    scaled("max", "max-scale", "33"),
    scaled("initial", "initial-scale", "4"),
    scaled("activation", "activation-scale", "6"),
    scaled("target", "target", "88"),
    scaled("utilization", "target-utilization-percentage", "55"),
    scaled("metric", "metric", "rps"),
    scaled("window", "window", "77s"),
    over("concurrency", "42", _set(42, "containerConcurrency")),
)


def _rollout(raw: Object, _container: Object) -> None:
    """In the spelling that the service has."""
    found = marks(raw, "annotations", on_revision=False)
    older = "serving.knative.dev/rolloutDuration"
    found[older if older in found else "serving.knative.dev/rollout-duration"] = "44s"


def _progress_deadline(raw: Object, _container: Object) -> None:
    marks(raw, "annotations", on_revision=True)["serving.knative.dev/progress-deadline"] = "333s"


SETTINGS = (
    *SCALE,
    over("timeout", "77", _set(77, "timeoutSeconds")),
    over("response_start", "66", _set(66, "responseStartTimeoutSeconds")),
    over("idle", "55", _set(55, "idleTimeoutSeconds")),
    over("rollout", "44s", _rollout, on_template=False),
    over("progress_deadline", "333s", _progress_deadline),
    over("cpu_request", "17m", _inside("17m", "resources", "requests", "cpu")),
    over("memory_limit", "777Mi", _inside("777Mi", "resources", "limits", "memory")),
    over("port", "9999", _port),
    over("pull_policy", "IfNotPresent", _inside("IfNotPresent", "imagePullPolicy")),
    over("user", "1234", _inside(1234, "securityContext", "runAsUser")),
    over("service_account", "other", _set("other", "serviceAccountName")),
    Edit("cluster_local", _toggle_local, _local, on_template=False),
    probe("readiness", "readinessProbe"),
    probe("liveness", "livenessProbe"),
    probe("startup", "startupProbe"),
    more_lines("command", "--added", _appended("command", "--added")),
    more_lines("arguments", "--added", _appended("args", "--added")),
    row("env_from", _appended("envFrom", {"secretRef": {"name": "added"}}), kind="secret", name="added"),
    row("mounts", _folder, path="/added", kind="empty-dir"),
    row("other_resources", _inside("2", "resources", "limits", "example.com/a"), name="example.com/a", limit="2"),
    more_lines("node_selector", "added=x", lambda raw, _c: pod(raw).setdefault("nodeSelector", {}).update(added="x")),
    row("tolerations", _appended(
        "tolerations", {"key": "added", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
        to_pod=True), key="added", operator="Exists", effect="NoExecute", seconds="5"),
    more_lines("pull_secrets", "added", _appended("imagePullSecrets", {"name": "added"}, to_pod=True)),
    more_lines("labels", "added=x", _mark("labels", on_revision=False), on_template=False),
    more_lines("annotations", "added=x", _mark("annotations", on_revision=False), on_template=False),
    more_lines("revision_labels", "added=x", _mark("labels", on_revision=True)),
    more_lines("revision_annotations", "added=x", _mark("annotations", on_revision=True)),
    over("deadline", "120", _annotation("sluice.dev/deadline-seconds", "120"), on_template=False),
    over("error_window", "3", _annotation("sluice.dev/error-window-seconds", "3"), on_template=False),
)  # fmt: skip


def image_edit(serving: str) -> Edit:
    def wanted(raw: Object, container: Object) -> None:
        container["image"] = "r.example.com/new:9"
        if container["name"] == serving:
            marks(raw, "annotations", on_revision=True)[USER_IMAGE] = "r.example.com/new:9"

    return over("image", "r.example.com/new:9", wanted)


def _next_timeout(form: Form) -> None:
    text = form["manifest"].value
    form.type("manifest", re.sub(r"(?m)^(      timeoutSeconds: )\d+$", r"\g<1>77", text))


YAML = (Edit("manifest", _next_timeout, _set(77, "timeoutSeconds")),)
