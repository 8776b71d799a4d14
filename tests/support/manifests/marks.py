"""Labels and annotations: of people, of machines, of tools that deploy and prune."""

from __future__ import annotations

from tests.support.manifests.build import service

TOOL_LABELS = {
    "kapp.k14s.io/app": "1700000000000000000",
    "kapp.k14s.io/association": "v1.0123456789abcdef",
    "applyset.kubernetes.io/part-of": "applyset-abc-v1",
    "objectset.rio.cattle.io/hash": "0123456789abcdef",
    "app.kubernetes.io/instance": "shop",
    "app.kubernetes.io/managed-by": "Helm",
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    "helm.toolkit.fluxcd.io/name": "shop",
    "helm.toolkit.fluxcd.io/namespace": "flux-system",
    "helm.sh/chart": "shop-1.2.3",
    "argocd.argoproj.io/instance": "shop",
    "skaffold.dev/run-id": "0f9c",
    "crossplane.io/claim-name": "shop",
    "team": "shop",
}
TOOL_ANNOTATIONS = {
    "kapp.k14s.io/identity": "v1;default/serving.knative.dev/Service/kappowned;serving.knative.dev/v1",
    "objectset.rio.cattle.io/id": "default-fleet-bundle",
    "objectset.rio.cattle.io/owner-name": "shop",
    "argocd.argoproj.io/tracking-id": "shop:serving.knative.dev/Service:default/shop",
    "argocd.argoproj.io/sync-wave": "3",
    "meta.helm.sh/release-name": "shop",
    "meta.helm.sh/release-namespace": "default",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
    "crossplane.io/external-name": "shop",
    "example.com/owner": "shop",
}

MANIFESTS = (
    service("marks-of-tools", labels=TOOL_LABELS, annotations=TOOL_ANNOTATIONS),
    service(
        "marks-applied",
        annotations={"kubectl.kubernetes.io/last-applied-configuration": '{"kind":"Service","spec":{}}\n'},
    ),
    service(
        "marks-restarted",
        annotations={"kubectl.kubernetes.io/default-container": "app"},
        template={
            "annotations": {
                "kubectl.kubernetes.io/restartedAt": "2026-11-01T10:00:00Z",
                "client.knative.dev/updateTimestamp": "2026-11-01T10:00:00Z",
            }
        },
    ),
    service(
        "marks-of-knative",
        annotations={
            "serving.knative.dev/rollout-duration": "380s",
            "networking.knative.dev/ingress-class": "kourier.ingress.networking.knative.dev",
            "networking.knative.dev/http-protocol": "redirected",
        },
        template={
            "annotations": {
                "serving.knative.dev/progress-deadline": "300s",
                "features.knative.dev/podspec-dryrun": "enabled",
            },
            "labels": {"sidecar.istio.io/inject": "true"},
        },
    ),
    service("marks-visibility", labels={"networking.knative.dev/visibility": "cluster-local"}),
    service("marks-visibility-odd", labels={"networking.knative.dev/visibility": ""}),
    service(
        "marks-capitals",
        annotations={"Example.COM/Owner": "Shop", "UPPER": "x", "a_b.c-d": "y"},
        template={"annotations": {"Example.COM/Ticket": "42"}},
    ),
    service(
        "marks-odd-values",
        annotations={
            "example.com/lines": "a\nb\n",
            "example.com/vt": "a\vb",
            "example.com/ls": "a\u2028b\x85c",
            "example.com/edges": "  a ",
            "example.com/empty": "",
            "example.com/equals": "a=b=c",
            "example.com/cr": "a\rb",
            "example.com/html": "</textarea><b>&amp;",
        },
        template={"annotations": {"example.com/json": '{"a": [1, 2]}', "example.com/tab": "\ta\t"}},
    ),
    service(
        "marks-numbers",
        labels={"commit": "81111e1", "on": "on", "version": "1.10", "zip": "01234", "under": "1_000"},
        annotations={
            "example.com/build": "0o17",
            "example.com/at": "12:30",
            "example.com/day": "2026-11-01",
            "example.com/big": "12e4567",
            "example.com/hex": "0x1F",
            "example.com/inf": ".inf",
            "example.com/null": "null",
            "example.com/bool": "yes",
            "example.com/y": "y",
        },
        template={"labels": {"commit": "81111e1", "e": "1e3"}},
    ),
    service("marks-long", labels={"a" * 253 + "/" + "b" * 63: "c" * 63}, annotations={"x/y": "z" * 100_000}),
    service("marks-empty-label", labels={"canary": "", "team": "shop"}, template={"labels": {"empty": ""}}),
    service(
        "marks-of-console",
        annotations={
            "sluice.dev/deadline-seconds": "90",
            "sluice.dev/error-window-seconds": "2.5",
            "sluice.dev/changed-by": "dora",
            "sluice.dev/changed-generation": "7",
            "sluice.dev/operation": "0b0e",
        },
    ),
    service("marks-console-odd", annotations={"sluice.dev/deadline-seconds": "soon"}),
    service(
        "marks-owned",
        ownerReferences=[
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "name": "model",
                "uid": "1-2-3",
                "controller": True,
            }
        ],
        finalizers=["example.com/keep"],
    ),
    service("template-named", template={"name": "template-named-blue", "labels": {"colour": "blue"}}),
    service(
        "template-metadata",
        template={"namespace": "default", "finalizers": ["example.com/x"], "name": "template-metadata-a"},
    ),
)
