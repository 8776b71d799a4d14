"""Services of every family of fields, among them ones that this console does not know."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

words = st.text("abcdefgh", min_size=1, max_size=6)
container_names = st.sampled_from(["app", "sidecar", "env", "containers"])  # names that paths are made of, too
env_names = st.sampled_from(["TARGET", "PASSWORD", "DB", "LEVEL", "env"])
values = st.text(min_size=8, max_size=16).map(lambda text: f"v4lue-{text}")
unknown = st.recursive(
    st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)


def literals() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"name": env_names}, optional={"value": values | st.just("")})


def references() -> st.SearchStrategy[dict[str, Any]]:
    origin = st.one_of(
        st.fixed_dictionaries({"secretKeyRef": st.fixed_dictionaries({"name": words, "key": words})}),
        st.fixed_dictionaries({"configMapKeyRef": st.fixed_dictionaries({"name": words, "key": words})}),
        st.just({"fieldRef": {"fieldPath": "metadata.name"}}),
    )
    return st.fixed_dictionaries({"name": env_names, "valueFrom": origin})


def containers() -> st.SearchStrategy[dict[str, Any]]:
    """A container; its variables may stand twice, as the API accepts."""
    return st.fixed_dictionaries(
        {
            "name": container_names,
            "image": st.sampled_from(["r.example.com/a:1", "r.example.com/b@sha256:" + "a" * 64]),
        },
        optional={
            "env": st.lists(literals() | references(), max_size=4),
            "envFrom": st.lists(st.sampled_from([{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}])),
            "ports": st.just([{"containerPort": 8080, "name": "h2c"}]),
            "command": st.lists(words, max_size=2),
            "args": st.lists(words, max_size=2),
            "resources": st.sampled_from([{}, {"requests": {"cpu": "1"}}, {"limits": {"nvidia.com/gpu": "1"}}]),
            "readinessProbe": st.just({"httpGet": {"path": "/ready", "port": 0}, "successThreshold": 1}),
            "livenessProbe": st.just({"exec": {"command": ["true"]}}),
            "volumeMounts": st.just([{"name": "config", "mountPath": "/etc/shop", "readOnly": True}]),
            "securityContext": st.just({"runAsNonRoot": True}),
            "tomorrow": unknown,
        },
    )


def targets() -> st.SearchStrategy[list[dict[str, Any]]]:
    target = st.fixed_dictionaries(
        {"percent": st.integers(0, 100), "latestRevision": st.just(False), "revisionName": words},
        optional={"tag": words, "tomorrow": unknown},
    )
    return st.lists(target | st.just({"latestRevision": True, "percent": 100}), max_size=4)


def named(entries: st.SearchStrategy[dict[str, Any]], **sizes: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(entries, unique_by=lambda entry: entry["name"], **sizes)


def services() -> st.SearchStrategy[dict[str, Any]]:
    """A whole Service; at least the container `app` is there."""
    meta = {
        "labels": st.dictionaries(words, words, max_size=2),
        "annotations": st.dictionaries(words, words, max_size=2),
    }
    pod = st.fixed_dictionaries(
        {"containers": named(containers(), min_size=1, max_size=3).map(_with_app)},
        optional={
            "initContainers": named(containers(), max_size=1),
            "volumes": st.just([{"name": "config", "configMap": {"name": "c"}}, {"name": "tmp", "emptyDir": {}}]),
            "containerConcurrency": st.integers(0, 1000),
            "timeoutSeconds": st.integers(1, 600),
            "serviceAccountName": words,
            "imagePullSecrets": st.just([{"name": "pull"}]),
            "nodeSelector": st.dictionaries(words, words, max_size=1),
            "tomorrow": unknown,
        },
    )
    template = st.fixed_dictionaries(
        {"spec": pod},
        optional={"metadata": st.none() | st.fixed_dictionaries({}, optional={"name": words, **meta})},
    )
    whole = st.fixed_dictionaries(
        {
            "apiVersion": st.just("serving.knative.dev/v1"),
            "kind": st.just("Service"),
            "metadata": st.fixed_dictionaries(
                {"name": st.just("shop"), "namespace": st.just("default"), "generation": st.integers(1, 9)},
                optional=meta,
            ),
            "spec": st.fixed_dictionaries({"template": template}, optional={"traffic": targets(), "tomorrow": unknown}),
        }
    )
    return whole.map(lambda raw: json.loads(json.dumps(raw)))  # as it comes from the wire: no part is shared


def _with_app(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any(container["name"] == "app" for container in found):
        return found
    return [{**found[0], "name": "app"}, *found[1:]]


def literal_values(raw: dict[str, Any]) -> set[str]:
    """Every literal value that must not be shown."""
    pod = raw["spec"]["template"]["spec"]
    everyone = [*pod["containers"], *pod.get("initContainers", ())]
    return {entry["value"] for c in everyone for entry in c.get("env", ()) if entry.get("value")}


def edit_somewhere(value: Any, data: st.DataObject) -> None:
    """Change one place inside the JSON, which may be anywhere."""
    inner = [part for part in (value.values() if isinstance(value, dict) else value) if part and _is_folder(part)]
    if inner and data.draw(st.integers(0, 4)):
        edit_somewhere(data.draw(st.sampled_from(inner)), data)
    elif isinstance(value, list):
        where = data.draw(st.integers(0, len(value) - 1))
        what = data.draw(st.sampled_from(["move", "double", "take away"]))
        if what == "move":
            value.insert(0, value.pop(where))
        elif what == "double":
            value.insert(0, value[where])
        else:
            del value[where]
    else:
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.booleans()) or _is_folder(value[key]):
            del value[key]
        else:
            value[key] = data.draw(words)


def spoil_somewhere(value: Any, data: st.DataObject) -> None:
    """Put something of another shape into one place inside the JSON."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = data.draw(st.sampled_from(keys))
    if value[key] and _is_folder(value[key]) and data.draw(st.integers(0, 5)):
        spoil_somewhere(value[key], data)
    else:
        value[key] = data.draw(st.sampled_from([None, "", "text", 7, True, [], {}, [None], ["text"], {"text": 7}, 1.5]))


def _is_folder(value: Any) -> bool:
    return isinstance(value, dict | list)
