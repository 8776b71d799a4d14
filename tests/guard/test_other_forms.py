"""Traffic, bulk, restart and clone: what was asked is done, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.guard.asking import Answer, Person, differences, plain
from tests.guard.cases import Case, chosen, of_service, serving
from tests.guard.conftest import Stage
from tests.guard.edits import USER_IMAGE, marks
from tests.support.browser import Form
from tests.support.manifests import Object

TIMESTAMP = "client.knative.dev/updateTimestamp"
# Marks of the original: stamps, moments, and those of deployment tools (tests/support/manifests/marks.py).
NOT_COPIED = (
    *("serving.knative.dev/creator", "serving.knative.dev/lastModifier", "client.knative.dev/updateTimestamp"),
    *("kubectl.kubernetes.io/last-applied-configuration", "kubectl.kubernetes.io/restartedAt"),
    *("sluice.dev/changed-by", "sluice.dev/changed-generation", "sluice.dev/operation"),
    *("app.kubernetes.io/instance", "app.kubernetes.io/managed-by"),
    *("kapp.k14s.io/", "applyset.kubernetes.io/", "objectset.rio.cattle.io/", "kustomize.toolkit.fluxcd.io/"),
    *("helm.toolkit.fluxcd.io/", "helm.sh/", "meta.helm.sh/", "argocd.argoproj.io/", "skaffold.dev/", "crossplane.io/"),
)


def edited(raw: Object, change: Callable[[Object, Object], None], container: str, *, template: bool = True) -> Object:
    """A copy of the service after `change(service, container)`; a template that changes loses its name."""
    after = copy.deepcopy(raw)
    if template:
        (after["spec"]["template"].get("metadata") or {}).pop("name", None)
    change(after, next(one for one in after["spec"]["template"]["spec"]["containers"] if one["name"] == container))
    return after


def wrong(answer: Answer, wanted: Object) -> list[str]:
    """What is wrong with what would be written."""
    if answer.written is None:
        return [f"{answer.status}: {'; '.join(answer.complaints) or 'nothing would be written'}"]
    return differences(plain(wanted), plain(answer.written))


def variables(raw: Object, container: str) -> list[Object]:
    found = next(one for one in raw["spec"]["template"]["spec"]["containers"] if one["name"] == container)
    return list(found.get("env") or ())


@chosen(of_service("traffic"))
def test_one_edited_target_is_the_only_difference(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    failures = []
    for place, entry in enumerate(case.raw["spec"]["traffic"]):
        form, row = _row(person, place)
        form.type(f"tag-{row}", "guarded")
        failures += [f"tag {place}: {one}" for one in wrong(person.send(form), _with_target(case.raw, place, "tag"))]
        if not entry.get("percent"):
            form, row = _row(person, place)
            form.type(f"remove-{row}", "on")
            failures += [f"remove {place}: {one}" for one in wrong(person.send(form), _with_target(case.raw, place))]
    assert failures == []


def _row(person: Person, place: int) -> tuple[Form, str]:
    """The form, and the number of the row of an entry of spec.traffic."""
    form = person.open("traffic")
    found = [c for c in form.controls if c.name.startswith("entry-") and c.value == str(place)]
    assert len(found) == 1, f"entry {place} has {len(found)} rows"
    return form, found[0].name.partition("-")[2]


def _with_target(raw: Object, place: int, what: str = "") -> Object:
    after = copy.deepcopy(raw)
    if what:
        after["spec"]["traffic"][place][what] = "guarded"
    else:
        del after["spec"]["traffic"][place]
    return after


@chosen(of_service("operate"))
def test_a_restart_touches_its_time_stamp_alone(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    answer = person.send(person.open("operate"))
    assert answer.written is not None, answer.complaints
    at = answer.written["spec"]["template"]["metadata"]["annotations"][TIMESTAMP]

    def change(raw: Object, _container: Object) -> None:
        marks(raw, "annotations", on_revision=True)[TIMESTAMP] = at

    assert wrong(answer, edited(case.raw, change, serving(case.raw))) == []


@chosen(of_service("bulk"))
def test_a_bulk_edit_changes_one_thing(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    failures = [
        f"{kind}: {failure}"
        for kind, name, value, wanted in _bulk_changes(case.raw)
        for failure in wrong(_bulk(person, kind, name, value), wanted)
    ]
    assert failures == []


def _bulk_changes(raw: Object) -> Iterator[tuple[str, str, str, Object]]:
    container = serving(raw)

    def labelled(after: Object, _container: Object) -> None:
        marks(after, "labels", on_revision=False)["guard"] = "x"

    def with_variable(_after: Object, inner: Object) -> None:
        inner["env"] = [*(inner.get("env") or ()), {"name": "ADDED", "value": "x y"}]

    def without(name: str) -> Callable[[Object, Object], None]:
        def change(_after: Object, inner: Object) -> None:
            inner["env"] = [entry for entry in inner["env"] if entry["name"] != name]
            if not inner["env"]:
                del inner["env"]

        return change

    yield "label", "guard", "x", edited(raw, labelled, container, template=False)
    yield "env", "ADDED", "x y", edited(raw, with_variable, container)
    for name in [entry["name"] for entry in variables(raw, container)][:1]:
        yield "env-remove", name, "", edited(raw, without(name), container)


def _bulk(person: Person, kind: str, name: str, value: str) -> Answer:
    form = person.open_at("/services/bulk/")
    form.type("kind", kind)
    form.type("name", name)
    form.type("value", value)
    form.type("services", "on")
    return person.send(form)


@chosen(of_service("clone"))
def test_a_copy_has_everything_but_what_is_the_originals_own(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    form = person.open("clone")
    name = form["name"].value
    answer = person.send(form)
    assert wrong(answer, _copied(case.raw, name)) == []
    left = {key for key in _all_marks(case.raw) if _is_left(key)}
    told = person.client.get(person.path("clone")).content.decode()
    assert [key for key in left if _is_of_a_tool(key) and f">{key}<" not in told] == []


def _copied(raw: Object, name: str) -> Object:
    spec = copy.deepcopy(raw["spec"])
    spec.pop("traffic", None)
    inner = spec["template"].get("metadata") or {}
    for kind in ("name", "creationTimestamp"):
        inner.pop(kind, None)
    metadata: dict[str, Any] = {"name": name, "namespace": "default"}
    for kind in ("labels", "annotations"):
        metadata[kind] = _kept(raw["metadata"].get(kind) or {})
        if kind in inner:
            inner[kind] = _kept(inner[kind])
    return {"apiVersion": raw["apiVersion"], "kind": raw["kind"], "metadata": metadata, "spec": spec}


def _kept(found: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if not _is_left(key)}


def _is_left(key: str) -> bool:
    return any(key == one or (one.endswith("/") and key.startswith(one)) for one in NOT_COPIED)


def _is_of_a_tool(key: str) -> bool:
    ours = ("serving.knative.dev/", "client.knative.dev/", "sluice.dev/", "kubectl.kubernetes.io/")
    return not key.startswith(ours)


def _all_marks(raw: Object) -> Iterable[str]:
    inner = raw["spec"]["template"].get("metadata") or {}
    for holder in (raw["metadata"], inner):
        for kind in ("labels", "annotations"):
            yield from holder.get(kind) or {}


@pytest.mark.parametrize("name", ["marks-of-knative"])
def test_what_people_write_under_knatives_prefix_is_shown_and_can_be_edited(stage: Stage, name: str) -> None:
    person = stage.show(Case("yaml", name).raw)
    form = person.open("yaml")
    form.type("manifest", form["manifest"].value.replace("rollout-duration: 380s", "rollout-duration: 381s"))
    wanted = copy.deepcopy(person.raw)
    wanted["metadata"]["annotations"]["serving.knative.dev/rollout-duration"] = "381s"
    assert wrong(person.send(form), wanted) == []


def test_the_users_name_of_the_image_follows_the_serving_container(stage: Stage) -> None:
    """The sidecar's image is nobody's user image."""
    raw = Case("image", "containers-three").raw
    person = stage.show(raw)
    form = person.open("image", "env")
    form.type("image", "r.example.com/new:9")
    answer = person.send(form)
    assert answer.written is not None
    annotations = answer.written["spec"]["template"]["metadata"]["annotations"]
    assert annotations[USER_IMAGE] == raw["spec"]["template"]["metadata"]["annotations"][USER_IMAGE]
