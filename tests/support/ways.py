"""Every way into the engine with every effect that it can have, as forms are sent; what each needs is written by hand.

`needs` is what the effect needs, `page` what the form's own address asks for besides.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from console import kubectl_yaml
from console.knative.objects import Service
from console.web.forms.yaml import YamlForm
from tests.operations.factories import GO, RUST

DEPLOY, TRAFFIC, OPERATE, DELETE = "deploy", "traffic", "operate", "delete"
KINDS = (DEPLOY, TRAFFIC, OPERATE, DELETE)
VISIBILITY = "networking.knative.dev/visibility"
ROLLOUT = "serving.knative.dev/rollout-duration"
MIN_SCALE = "autoscaling.knative.dev/min-scale"
DECIDING = ("team", "front")  # the label that a grant of another team selects by

Fields = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One form, sent with one effect."""

    name: str
    effect: str
    needs: frozenset[str]
    page: frozenset[str]
    address: str
    fields: Callable[[dict[str, Any]], Fields]
    decides: bool = False  # it sets a label that decides who may do what

    def __str__(self) -> str:
        return f"{self.name}: {self.effect}"

    def allowed(self, held: frozenset[str]) -> bool:
        """Whether a person who holds these permissions gets through, where nothing is protected or frozen."""
        return self.needs | self.page <= held and (not self.decides or "manage" in held)


def _way(name: str, effect: str, needs: str, page: str, address: str, fields: Any, decides: bool = False) -> Way:
    read = fields if callable(fields) else lambda _service: fields
    return Way(name, effect, frozenset(needs.split()), frozenset(page.split()), address, read, decides)


# (effect, permissions, edit of the manifest)
MANIFESTS: tuple[tuple[str, str, Callable[[dict[str, Any]], Any]], ...] = (
    ("image", DEPLOY, lambda raw: _container(raw).update(image=RUST)),
    ("variable", DEPLOY, lambda raw: _container(raw)["env"].append({"name": "MORE", "value": "x"})),
    ("timeout", DEPLOY, lambda raw: _pod(raw).update(timeoutSeconds=77)),
    ("revision name", DEPLOY, lambda raw: _inner(raw).update(name=f"{raw['metadata']['name']}-named")),
    ("label", DEPLOY, lambda raw: _labels(raw).update(color="blue")),
    ("annotation", DEPLOY, lambda raw: _annotations(raw).update(color="blue")),
    ("deciding label", DEPLOY, lambda raw: _labels(raw).update([DECIDING])),
    ("scale", OPERATE, lambda raw: _inner(raw)["annotations"].update({MIN_SCALE: "2"})),
    ("scale, old name", OPERATE, lambda raw: _inner(raw)["annotations"].update({MIN_SCALE[:-9] + "minScale": "2"})),
    ("no scale", OPERATE, lambda raw: _inner(raw).pop("annotations")),
    ("concurrency", OPERATE, lambda raw: _pod(raw).update(containerConcurrency=3)),
    ("visibility", TRAFFIC, lambda raw: _labels(raw).update({VISIBILITY: "cluster-local"})),
    ("rollout", TRAFFIC, lambda raw: _annotations(raw).update({ROLLOUT: "60s"})),
    ("split", TRAFFIC, lambda raw: raw["spec"].update(traffic=_in_two(raw))),
    ("tag", TRAFFIC, lambda raw: raw["spec"]["traffic"][0].update(tag="canary")),
    ("defaults left out", OPERATE, lambda raw: (raw["spec"].pop("traffic"), _pod(raw).update(containerConcurrency=3))),
    ("scale and split", f"{OPERATE} {TRAFFIC}",
     lambda raw: (_pod(raw).update(containerConcurrency=3), raw["spec"].update(traffic=_in_two(raw)))),
    ("image and visibility", f"{DEPLOY} {TRAFFIC}",
     lambda raw: (_container(raw).update(image=RUST), _labels(raw).update({VISIBILITY: "cluster-local"}))),
)  # fmt: skip

SETTINGS = (
    ("timeout", DEPLOY, {"timeout": "77"}),
    ("label", DEPLOY, {"labels": "color=blue"}),
    ("deciding label", DEPLOY, {"labels": "=".join(DECIDING)}),
    ("deadline", DEPLOY, {"deadline": "60"}),
    ("scale", OPERATE, {"min": "2"}),
    ("scale by an annotation", OPERATE, {"revision_annotations": f"{MIN_SCALE}=2"}),
    ("concurrency", OPERATE, {"concurrency": "3"}),
    ("visibility", TRAFFIC, {"cluster_local": "on"}),
    ("visibility by a label", TRAFFIC, {"labels": f"{VISIBILITY}=cluster-local"}),
    ("rollout by an annotation", TRAFFIC, {"annotations": f"{ROLLOUT}=60s"}),
    ("scale and timeout", f"{OPERATE} {DEPLOY}", {"min": "2", "timeout": "77"}),
)

BULK = (
    ("variable", DEPLOY, {"kind": "env", "name": "COLOR", "value": "blue"}),
    ("label", DEPLOY, {"kind": "label", "name": "color", "value": "blue"}),
    ("deciding label", DEPLOY, {"kind": "label", "name": DECIDING[0], "value": DECIDING[1]}),
    ("visibility", TRAFFIC, {"kind": "label", "name": VISIBILITY, "value": "cluster-local"}),
    ("scale", OPERATE, {"kind": "min-scale", "value": "2"}),
    ("restart", OPERATE, {"kind": "restart"}),
    ("redeploy", DEPLOY, {"kind": "redeploy"}),
)

NEW: Fields = {"place": "box/default", "name": "table-new", "image": GO}
CREATE = (
    ("plain", DEPLOY, {}),
    ("label", DEPLOY, {"labels": "color=blue"}),
    ("deciding label", DEPLOY, {"labels": "=".join(DECIDING)}),
    ("scale", f"{DEPLOY} {OPERATE}", {"min": "2"}),
    ("visibility", f"{DEPLOY} {TRAFFIC}", {"cluster_local": "on"}),
    ("scale and visibility", f"{DEPLOY} {OPERATE} {TRAFFIC}", {"min": "2", "cluster_local": "on"}),
)


def _variable(service: dict[str, Any]) -> Fields:
    data = {"rows": "1", "exists-0": "1", "name-0": "TARGET", "action-0": "set", "value-0": "Second", "source-0": ""}
    return {**data, "container": "app", "resource_version": service["metadata"]["resourceVersion"]}


def _split(service: dict[str, Any]) -> Fields:
    return {"rows": "2", "name-0": "@latest", "percent-0": "50", "name-1": _first(service), "percent-1": "50"}


def ways() -> Iterator[Way]:
    """Every form with every effect."""
    yield _way("variables", "variable", DEPLOY, DEPLOY, "{path}env/", _variable)
    yield _way("image", "image", DEPLOY, DEPLOY, "{path}image/", {"container": "app", "image": RUST})
    yield _way("traffic", "split", TRAFFIC, TRAFFIC, "{path}traffic/", _split)
    yield _way("serve", "split", TRAFFIC, TRAFFIC, "{path}revisions/{first}/serve/", {})
    yield _way("operate", "restart", OPERATE, OPERATE, "{path}operate/", {"what": "restart", "keep_digest": "1"})
    yield _way("operate", "newer build", DEPLOY, OPERATE, "{path}operate/", {"what": "restart"})
    scale = {"what": "scale", "min": "2", "keep_digest": "1"}
    yield _way("operate", "scale", OPERATE, OPERATE, "{path}operate/", scale)
    scale = {"what": "scale", "min": "2"}
    yield _way("operate", "scale, newer build", f"{OPERATE} {DEPLOY}", OPERATE, "{path}operate/", scale)
    yield _way("delete", "delete", DELETE, DELETE, "{path}delete/", lambda raw: {"confirm": raw["metadata"]["name"]})
    yield _way("delete revision", "delete", DELETE, DELETE, "{path}revisions/{first}/delete/", {})
    for effect, needs, fields in SETTINGS:
        decides = effect == "deciding label"
        yield _way("settings", effect, needs, DEPLOY, "{path}settings/", {**fields, "keep_digest": "1"}, decides)
    for effect, needs, edit in MANIFESTS:
        yield _way("yaml", effect, needs, "", "{path}yaml/", _manifest(edit), effect == "deciding label")
    for effect, needs, fields in BULK:
        decides = effect == "deciding label"
        yield _way("bulk", effect, needs, "", "/services/bulk/", _bulk(fields), decides)
    for effect, needs, fields in CREATE:
        yield _way("create", effect, needs, DEPLOY, "/services/new/", {**NEW, **fields}, effect == "deciding label")
    # The service that is copied has a largest scale.
    yield _way("clone", "scale", f"{DEPLOY} {OPERATE}", DEPLOY, "{path}clone/", {**NEW, "image": RUST})


def subsets(kinds: tuple[str, ...] = KINDS) -> Iterator[frozenset[str]]:
    """Every set of permissions that change something."""
    for size in range(len(kinds) + 1):
        yield from map(frozenset, itertools.combinations(kinds, size))


def address_of(way: Way, path: str, service: dict[str, Any]) -> str:
    return way.address.format(path=path, first=_first(service))


def _manifest(edit: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Fields]:
    def fields(service: dict[str, Any]) -> Fields:
        raw = copy.deepcopy(YamlForm._editable(Service(service)))
        edit(raw)
        return {"manifest": kubectl_yaml.dump(raw)}

    return fields


def _bulk(fields: Fields) -> Callable[[dict[str, Any]], Fields]:
    base = {"name": "", "value": "", "keep_digest": "1", **fields}
    return lambda service: {**base, "services": [f"box/default/{service['metadata']['name']}"]}


def _first(service: dict[str, Any]) -> str:
    return f"{service['metadata']['name']}-00001"


def _in_two(raw: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"latestRevision": True, "percent": 50}, {"revisionName": _first(raw), "percent": 50}]


def _inner(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["metadata"]
    return found


def _pod(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["spec"]
    return found


def _container(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _pod(raw)["containers"][0]
    return found


def _labels(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["metadata"].setdefault("labels", {})
    return found


def _annotations(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["metadata"].setdefault("annotations", {})
    return found
