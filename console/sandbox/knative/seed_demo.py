"""The demo: a small shop's cluster with the situations that people meet, healthy and not."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from console.sandbox.knative.settled import CRASHING, OVER_QUOTA, SeededRevision, SeededService
from console.sandbox.resources import CONFIGMAPS, NAMESPACES, SECRETS, SERVICEACCOUNTS, Resource

GO, RUST = "gcr.io/knative-samples/helloworld-go", "gcr.io/knative-samples/helloworld-rust"
SHOP = "registry.example.com"
ALICE, BOB, CAROL, DAVE = "alice@shop.example", "bob@shop.example", "carol@payments.example", "dave@data.example"
CONSOLE = "admin"  # as whom the console is known to the sandbox: what its demo history deployed
BY_DEPLOYER = {"sluice.dev/changed-by": "deployer"}  # who of the console's people changed the service last
CI = "system:serviceaccount:ci:deployer"
ARGO = "system:serviceaccount:argocd:argocd-application-controller"
HELM = "system:serviceaccount:flux:helm-operator"
Object = dict[str, Any]


def plain_objects() -> Iterator[tuple[Resource, Object, timedelta]]:
    """Namespaces, secrets, config maps and service accounts, each with its age."""
    for name, team in (
        ("default", ""), ("shop", "shop"), ("payments", "payments"), ("data", "data"), ("team-a", "team-a"),
    ):  # fmt: skip
        labels = {"kubernetes.io/metadata.name": name} | ({"example.com/team": team} if team else {})
        yield NAMESPACES, {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}}, _days(210)
    yield _secret("payments", "checkout-db", {"username": "checkout", "password": "correct horse battery staple"})
    yield _secret("payments", "checkout-psp", {"PSP_API_KEY": "sk_demo_51Hq", "PSP_WEBHOOK_SECRET": "whsec_demo"})
    yield _secret("payments", "checkout-tls", {"tls.crt": "demo certificate", "tls.key": "demo key"})
    yield _secret("payments", "gateway-credentials", {"token": "demo-token"})
    yield _secret("shop", "cart-redis", {"url": "redis://:demo@cart-redis:6379/0"})
    yield _config_map("payments", "checkout-settings", {"CURRENCY": "EUR", "RETRIES": "3", "LOCALE": "de_DE"})
    yield _config_map("payments", "checkout-files", {"limits.yaml": "daily: 10000\nsingle: 2500\n"})
    yield _config_map("shop", "storefront-flags", {"NEW_HOME": "true", "CHECKOUT_V2": "false"})
    yield _config_map("data", "reports-settings", {"BUCKET": "reports", "RETENTION_DAYS": "90"})
    for namespace, name in (("payments", "checkout"), ("payments", "default"), ("shop", "default")):
        yield SERVICEACCOUNTS, {"metadata": {"name": name, "namespace": namespace}}, _days(200)


def _days(days: float) -> timedelta:
    return timedelta(days=days)


def _secret(namespace: str, name: str, data: dict[str, str]) -> tuple[Resource, Object, timedelta]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return SECRETS, {"metadata": {"name": name, "namespace": namespace}, "type": "Opaque", "data": encoded}, _days(150)


def _config_map(namespace: str, name: str, data: dict[str, str]) -> tuple[Resource, Object, timedelta]:
    return CONFIGMAPS, {"metadata": {"name": name, "namespace": namespace}, "data": data}, _days(150)


def _template(image: str, env: dict[str, str] | None = None, **more: Any) -> Object:
    """A template with one container; `annotations` are the template's, `container` and `spec` add fields."""
    container: Object = {"image": image, **more.get("container", {})}
    if env:
        container["env"] = [{"name": name, "value": value} for name, value in env.items()]
    template: Object = {"spec": {"containers": [container], **more.get("spec", {})}}
    if more.get("annotations"):
        template["metadata"] = {"annotations": more["annotations"]}
    return template


def _history(*entries: tuple[Object, str, float], running: int = 0, last: str = "ready") -> list[SeededRevision]:
    """Revisions from (template, creator, days ago); `running` pods and the outcome are those of the last."""
    *earlier, (template, creator, days) = entries
    revisions = [SeededRevision(old, by, _days(ago)) for old, by, ago in earlier]
    return [*revisions, SeededRevision(template, creator, _days(days), outcome=last, running=running)]


def _checkout(version: str) -> Object:
    """The hardest manifest: sidecar, envFrom, references, volumes of every kind, probes, scaling."""
    application: Object = {
        "name": "checkout",
        "image": f"{SHOP}/payments/checkout:{version}",
        "ports": [{"containerPort": 8443, "name": "h2c"}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "DB_USER", "valueFrom": {"secretKeyRef": {"name": "checkout-db", "key": "username"}}},
            {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "checkout-db", "key": "password"}}},
            {"name": "CURRENCY", "valueFrom": {"configMapKeyRef": {"name": "checkout-settings", "key": "CURRENCY"}}},
            {"name": "FEATURES", "value": "apple-pay,installments"},
        ],
        "envFrom": [
            {"configMapRef": {"name": "checkout-settings"}},
            {"prefix": "PSP_", "secretRef": {"name": "checkout-psp"}},
        ],
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8443}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8443}, "initialDelaySeconds": 10},
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
        "volumeMounts": [
            {"name": "tls", "mountPath": "/etc/checkout/tls"},
            {"name": "files", "mountPath": "/etc/checkout/files"},
            {"name": "everything", "mountPath": "/etc/checkout/all"},
            {"name": "scratch", "mountPath": "/var/cache/checkout"},
        ],
    }
    sidecar: Object = {
        "name": "fraud-cache",
        "image": f"{SHOP}/payments/fraud-cache:2.3",
        "args": ["--listen", "127.0.0.1:7000"],
        "env": [{"name": "CACHE_MB", "value": "64"}],
        "resources": {"requests": {"memory": "64Mi"}},
        "volumeMounts": [{"name": "scratch", "mountPath": "/var/cache/fraud"}],
    }
    volumes = [
        {"name": "tls", "secret": {"secretName": "checkout-tls", "items": [{"key": "tls.crt", "path": "tls.crt"}]}},
        {"name": "files", "configMap": {"name": "checkout-files"}},
        {
            "name": "everything",
            "projected": {
                "sources": [{"secret": {"name": "checkout-db"}}, {"configMap": {"name": "checkout-settings"}}]
            },
        },
        {"name": "scratch", "emptyDir": {"sizeLimit": "128Mi"}},
    ]
    return {
        "metadata": {
            "labels": {"app.kubernetes.io/name": "checkout", "app.kubernetes.io/version": version},
            "annotations": {
                "autoscaling.knative.dev/min-scale": "1",
                "autoscaling.knative.dev/max-scale": "8",
                "autoscaling.knative.dev/target": "50",
                "example.com/change-ticket": "PAY-1182",
            },
        },
        "spec": {
            "containers": [application, sidecar],
            "volumes": volumes,
            "serviceAccountName": "checkout",
            "imagePullSecrets": [{"name": "registry"}],
            "containerConcurrency": 40,
            "timeoutSeconds": 120,
        },
    }


HELLO_ANNOTATIONS = {"client.knative.dev/user-image": GO, "client.knative.dev/updateTimestamp": "2026-01-12T09:00:00Z"}
SERVICES: tuple[SeededService, ...] = (
    SeededService(
        "default",
        "hello",
        _history((_template(GO, {"TARGET": "First"}, annotations=HELLO_ANNOTATIONS), ALICE, 9)),
    ),
    SeededService(
        "default",
        "greeter",
        _history(
            (_template(GO, {"TARGET": "Go"}), ALICE, 41),
            (_template(RUST, {"TARGET": "Rust"}), CONSOLE, 12),
        ),
        traffic=[
            {"revisionName": "greeter-00001", "percent": 50},
            {"latestRevision": True, "percent": 50},
        ],
        generation=9,
        annotations=BY_DEPLOYER,
    ),
    SeededService(
        "shop",
        "storefront",
        _history(
            (_template(f"{SHOP}/shop/storefront:4.0.2", {"THEME": "winter"}), ALICE, 120),
            (_template(f"{SHOP}/shop/storefront:4.1.0", {"THEME": "winter"}), CI, 33),
            (_template(f"{SHOP}/shop/storefront:4.1.1", {"THEME": "spring"}), CI, 20),
            (_template(f"{SHOP}/shop/storefront:4.2.0", {"THEME": "spring"}), CONSOLE, 2),
        ),
        traffic=[
            {"revisionName": "storefront-00003", "percent": 90, "tag": "current"},
            {"revisionName": "storefront-00003", "percent": 0, "tag": "stable"},
            {"revisionName": "storefront-00004", "percent": 10, "tag": "candidate"},
            {"revisionName": "storefront-00001", "percent": 0, "tag": "last-winter"},
        ],
        labels={"example.com/tier": "web"},
        generation=6,
        annotations=BY_DEPLOYER,
    ),
    SeededService(
        "shop",
        "cart",
        _history(
            (_template(f"{SHOP}/shop/cart:1.0.0", {"TTL": "3600"}), ALICE, 160),
            (_template(f"{SHOP}/shop/cart:1.1.0", {"TTL": "3600"}), ALICE, 88),
            (_template(f"{SHOP}/shop/cart:1.1.0", {"TTL": "7200"}), BOB, 61),
            (_template(f"{SHOP}/shop/cart:1.2.0", {"TTL": "7200"}), CI, 17),
            (_template(f"{SHOP}/shop/cart:1.2.0", {"TTL": "7200", "LOG_LEVEL": "debug"}), CONSOLE, 12.6),
            (_template(f"{SHOP}/shop/cart:1.2.0", {"TTL": "7200", "LOG_LEVEL": "info"}), CONSOLE, 11.1),
            (_template(f"{SHOP}/shop/cart:1.2.1", {"TTL": "7200", "LOG_LEVEL": "info"}), CONSOLE, 9.4),
            (_template(f"{SHOP}/shop/cart:1.2.1", {"TTL": "3600", "LOG_LEVEL": "info"}), CONSOLE, 7.3),
            (
                _template(f"{SHOP}/shop/cart:1.2.1", {"TTL": "3600", "LOG_LEVEL": "info", "MAX_ITEMS": "50"}),
                CONSOLE,
                3,
            ),
        ),
        annotations=BY_DEPLOYER,
    ),
    SeededService(
        "shop",
        "catalog",
        _history(
            (_template(f"{SHOP}/shop/catalog:7.3.0"), BOB, 70),
            (
                _template(
                    f"{SHOP}/shop/catalog:7.4.0",
                    {"INDEX": "products-v7"},
                    annotations={
                        "autoscaling.knative.dev/min-scale": "2",
                        "autoscaling.knative.dev/max-scale": "10",
                    },
                    spec={"containerConcurrency": 20},
                ),
                BOB,
                14,
            ),
            running=2,
        ),
    ),
    SeededService(
        "shop",
        "search",
        _history(
            (_template(f"{SHOP}/shop/search:2.0.0"), ALICE, 90),
            (_template(f"{SHOP}/shop/search:2.1.0", {"SYNONYMS": "off"}), ALICE, 30),
            (_template(f"{SHOP}/shop/search:2.2.0", {"SYNONYMS": "on"}), CONSOLE, 1),
        ),
        traffic=[{"revisionName": "search-00002", "percent": 100}],
        annotations=BY_DEPLOYER,
    ),
    SeededService(
        "shop",
        "recommendations",
        _history(
            (_template(f"{SHOP}/shop/recommendations:0.9.1", {"MODEL": "small"}), DAVE, 45),
            (_template("registry.invalid/shop/recommendations:0.9.2", {"MODEL": "small"}), CONSOLE, 0.2),
        ),
        annotations=BY_DEPLOYER,
    ),
    SeededService(
        "payments",
        "checkout",
        _history((_checkout("3.7.0"), CAROL, 64), (_checkout("3.8.0"), CAROL, 11), running=1),
        labels={"example.com/tier": "critical"},
        annotations={"example.com/owner": "payments@shop.example"},
    ),
    SeededService(
        "payments",
        "ledger",
        _history(
            (_template(f"{SHOP}/payments/ledger:5.1.0", {"MODE": "append"}), CAROL, 130),
            (_template(f"{SHOP}/payments/ledger:5.2.0", {"MODE": "append"}), CI, 22),
        ),
        labels={"networking.knative.dev/visibility": "cluster-local"},
    ),
    SeededService(
        "payments",
        "payment-gateway",
        _history(
            (_template(f"{SHOP}/payments/payment-gateway:1.14.0", {"REGION": "eu"}), CAROL, 39),
            (_template(f"{SHOP}/payments/crash:1.15.0", {"REGION": "eu"}), CI, 0.01),
            last=CRASHING,
        ),
    ),
    SeededService(
        "payments",
        "invoices",
        _history(
            (_template(f"{SHOP}/payments/invoices:2026.9"), ARGO, 75),
            (_template(f"{SHOP}/payments/invoices:2026.10"), ARGO, 26),
        ),
        labels={"app.kubernetes.io/instance": "invoices", "app.kubernetes.io/managed-by": "argocd"},
        annotations={"argocd.argoproj.io/tracking-id": "invoices:serving.knative.dev/Service:payments/invoices"},
    ),
    SeededService(
        "data",
        "events-ingest",
        _history(
            (_template(f"{SHOP}/data/events-ingest:0.30", {"BATCH": "500"}), DAVE, 52),
            (_template(f"{SHOP}/data/events-ingest:0.31", {"BATCH": "1000"}), DAVE, 0.004),
        ),
        annotations={"serving.knative.dev/rollout-duration": "3600s"},
        is_rolling_out=True,
    ),
    SeededService(
        "data",
        "reports",
        _history(
            (
                _template(
                    f"{SHOP}/data/reports:12.4",
                    container={"envFrom": [{"configMapRef": {"name": "reports-settings"}}]},
                ),
                HELM,
                58,
            ),
        ),
        labels={
            "app.kubernetes.io/managed-by": "Helm",
            "app.kubernetes.io/instance": "reports",
            "helm.sh/chart": "reports-1.8.0",
        },
        annotations={"meta.helm.sh/release-name": "reports", "meta.helm.sh/release-namespace": "data"},
    ),
    SeededService(
        "data",
        "warehouse-sync",
        _history(
            (
                _template(
                    f"{SHOP}/data/slow-answer:2s",
                    {"TARGET": "warehouse"},
                    spec={"containerConcurrency": 1, "timeoutSeconds": 600},
                    annotations={"autoscaling.knative.dev/max-scale": "5"},
                ),
                CONSOLE,
                7,
            ),
        ),
    ),
    SeededService(
        "team-a",
        "notifications",
        _history(
            (_template(RUST, {"TARGET": "Notifications"}), BOB, 15),
            (_template(f"{SHOP}/team-a/slow-start:10s", {"CHANNEL": "mail"}), CONSOLE, 4),
        ),
        annotations=BY_DEPLOYER,
    ),
    SeededService(
        "team-a",
        "image-resizer",
        _history((_template(f"{SHOP}/team-a/over-quota:1.0"), CONSOLE, 0.5), last=OVER_QUOTA),
        annotations=BY_DEPLOYER,
    ),
)
