"""Whose a service is, and what of a change that tool will undo."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative.objects import Service
from console.knative.owners import ARGO_CD, FLAGGER, FLUX, HELM, KSERVE, Owner, Undoes


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
