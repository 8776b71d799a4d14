"""Whose a service is, and what of a change that tool will undo."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative.objects import Service
from console.knative.owners import ARGO_CD, FLAGGER, FLUX, HELM, KSERVE, Owner, Undoes, undone


def owned(kind: str, api_version: str, *, controller: bool = True) -> dict[str, Any]:
    reference = {"apiVersion": api_version, "kind": kind, "name": "model", "uid": "1", "controller": controller}
    return {"ownerReferences": [reference]}


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({}, ()),
        ({"labels": None, "annotations": None, "ownerReferences": None}, ()),
        ({"labels": {"argocd.argoproj.io/instance": "x"}}, (ARGO_CD,)),
        ({"annotations": {"kustomize.toolkit.fluxcd.io/name": "x"}}, (FLUX,)),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, (HELM,)),
        ({"labels": {"app.kubernetes.io/managed-by": "me"}}, ()),
        ({"labels": {"function.knative.dev": "true"}}, (Owner("Knative Functions", Undoes.AT_NEXT_DEPLOYMENT),)),
        ({"annotations": {"flagger.app/primary-revision": "x-00001"}}, (FLAGGER,)),
        ({"labels": {"serving.kserve.io/inferenceservice": "model"}}, (KSERVE,)),
        ({"labels": {"camel.apache.org/integration": "x"}}, (Owner("Camel K", Undoes.ALL),)),
        ({"labels": {"kapp.k14s.io/app": "1"}}, (Owner("kapp (Carvel)", Undoes.AT_NEXT_DEPLOYMENT),)),
        ({"labels": {"objectset.rio.cattle.io/hash": "1"}}, (Owner("Fleet (Rancher)", Undoes.ALL),)),
        ({"annotations": {"notcrossplane.io/x": "1", "serving.knative.dev/creator": "me"}}, ()),
    ],
)
def test_tools_are_told_by_their_marks(metadata: dict[str, Any], found: tuple[Owner, ...]) -> None:
    assert Service({"metadata": metadata}).owners == found


def test_a_controller_that_owns_the_service_is_named_with_its_object() -> None:
    kserve = Owner("KServe (InferenceService model)", Undoes.ALL)
    assert Service({"metadata": owned("InferenceService", "serving.kserve.io/v1beta1")}).owners == (kserve,)
    marks = {"labels": {"serving.kserve.io/inferenceservice": "model"}}
    both = Service({"metadata": owned("InferenceService", "serving.kserve.io/v1beta1") | marks})
    assert both.owners == (kserve,), "once, not by its mark as well"
    unknown = Service({"metadata": owned("Widget", "example.com/v1")})
    assert unknown.owners == (Owner("Widget model", Undoes.ALL),)
    assert Service({"metadata": owned("Widget", "example.com/v1", controller=False)}).owners == ()


def test_a_tool_that_deploys_by_helm_is_named_instead_of_helm() -> None:
    helm = {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "shop-1.2.0"}
    assert Service({"metadata": {"labels": {**helm, "helm.toolkit.fluxcd.io/name": "shop"}}}).owners == (FLUX,)


def test_who_undoes_most_is_first_and_who_controls_the_traffic_is_told_beside_it() -> None:
    marks = {"flagger.app/primary-revision": "x-00001", "meta.helm.sh/release-name": "shop"}
    assert Service({"metadata": {"annotations": marks}}).owners == (HELM, FLAGGER)


def managed(manager: str, *, holds: str = "f:traffic", **more: Any) -> dict[str, Any]:
    fields = {"f:spec": {holds: {}}}
    return {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": "serving.knative.dev/v1",
        "fieldsV1": fields,
        **more,
    }


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (managed("flagger"), (FLAGGER,)),
        (managed("argocd-controller"), (ARGO_CD,)),
        (managed("kustomize-controller"), (FLUX,)),
        (managed("Helm"), (HELM,)),
        (managed("kubectl-client-side-apply"), ()),
        (managed("sluice"), ()),
        (managed("flagger", holds="f:template"), ()),
        (managed("flagger", subresource="status"), ()),
        ({"manager": "flagger"}, ()),
    ],
)
def test_a_known_controller_that_wrote_the_split_is_named(entry: dict[str, Any], found: tuple[Owner, ...]) -> None:
    assert Service({"metadata": {"managedFields": [entry]}}).owners == found


def test_a_tool_that_left_its_mark_is_not_named_again_for_the_split() -> None:
    metadata = {"annotations": {"argocd.argoproj.io/tracking-id": "x"}, "managedFields": [managed("argocd-controller")]}
    assert Service({"metadata": metadata}).owners == (ARGO_CD,)


def test_only_a_change_of_the_split_is_undone_by_who_controls_the_traffic() -> None:
    assert undone((ARGO_CD, FLAGGER), {"deploy"}) == (ARGO_CD,)
    assert undone((ARGO_CD, FLAGGER), {"deploy", "traffic"}) == (ARGO_CD, FLAGGER)
