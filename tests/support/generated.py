"""Services made of the parts of the hard manifests and of texts that forms, pages and files trip over."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from tests.support.manifests import BY_NAME, Object
from tests.support.manifests.build import GO, service

_PIECES = [
    *(
        "a",
        "B",
        "7",
        " ",
        "\t",
        "\n",
        "\r",
        "\v",
        "\x1c",
        "\x85",
        "\u2028",
        "\xa0",
        "\0",
        "\\",
        "'",
        '"',
        "=",
        ":",
        "#",
    ),
    *("<b>", "&amp;", "</textarea>", "••••", "yes", "0o17", "1e3", "--x", "漢", "😀", "{", ",", "$(A)", "%"),
]
texts = st.lists(st.sampled_from(_PIECES), max_size=5).map("".join) | st.text(max_size=6)
keys = st.sampled_from(["team", "example.com/Owner", "UPPER", "a_b.c", "serving.knative.dev/rollout-duration", "x/y"])
label_values = st.sampled_from(["", "x", "81111e1", "yes", "1.10", "a_b"])


def _containers() -> list[Object]:
    return [one for raw in BY_NAME.values() for one in raw["spec"]["template"]["spec"]["containers"]]


def _found(field: str) -> st.SearchStrategy[Any]:
    """What the hard manifests have in that field of their containers."""
    present = [one[field] for one in _containers() if one.get(field) and len(str(one[field])) < 5000]
    return st.sampled_from(present).map(copy.deepcopy)


@st.composite
def _variables(draw: st.DrawFn) -> list[Object]:
    """Literals and references; names may stand twice, as the API of older versions accepts."""
    names = draw(st.lists(st.sampled_from(["MODE", "TARGET", "PEM", "A", "b.c"]), max_size=4))
    reference = {"secretKeyRef": {"name": "db", "key": "url"}}
    entries: list[Object] = []
    for name in names:
        source = draw(st.sampled_from(["value", "value", "reference", "none"]))
        more = {"value": {"value": draw(texts)}, "reference": {"valueFrom": reference}, "none": {}}[source]
        entries.append({"name": name, **copy.deepcopy(more)})
    return entries


@st.composite
def services(draw: st.DrawFn) -> Object:
    """A whole Service as the API would return it."""
    optional = {
        "args": st.lists(texts, max_size=4),
        "command": st.lists(texts, max_size=3),
        "env": _variables(),
        **{field: _found(field) for field in ("envFrom", "ports", "resources", "securityContext")},
        **{field: _found(field) for field in ("readinessProbe", "livenessProbe", "startupProbe")},
    }
    container = draw(st.fixed_dictionaries({"image": st.just(GO)}, optional=optional))
    probe = draw(st.none() | st.lists(texts.filter(bool), min_size=1, max_size=3))
    if probe:
        container["livenessProbe"] = {"exec": {"command": probe}}
    mounted = copy.deepcopy(draw(st.sampled_from([raw for name, raw in BY_NAME.items() if name.startswith("mount-")])))
    pod = mounted["spec"]["template"]["spec"]
    container["volumeMounts"] = pod["containers"][0]["volumeMounts"]
    scaled = draw(st.sampled_from([raw for name, raw in BY_NAME.items() if name.startswith("scale-")]))
    inner = copy.deepcopy(scaled["spec"]["template"].get("metadata") or {})
    inner["annotations"] = {**inner.get("annotations", {}), **draw(st.dictionaries(keys, texts, max_size=2))}
    inner["labels"] = draw(st.dictionaries(keys, label_values, max_size=2))
    if draw(st.booleans()):
        inner["name"] = "generated-blue"
    others = draw(st.sampled_from([[], [{"name": "helper", "image": GO, "args": ["a\nb"]}]]))
    if others and not container.get("ports"):
        container["ports"] = [{"containerPort": 8080}]
    return service(
        "generated",
        containers=[container, *copy.deepcopy(others)],
        pod={"volumes": pod["volumes"], "containerConcurrency": draw(st.sampled_from([0, 1, 1000]))},
        template=inner,
        labels=draw(st.dictionaries(keys, label_values, max_size=2)),
        annotations=draw(st.dictionaries(keys, texts, max_size=3)),
    )
