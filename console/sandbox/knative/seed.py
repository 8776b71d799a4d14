"""What a new sandbox holds before anyone touched it."""

from __future__ import annotations

import re
from datetime import timedelta

from console.sandbox.knative.seed_demo import SERVICES as DEMO_SERVICES
from console.sandbox.knative.seed_demo import plain_objects
from console.sandbox.knative.settled import SeededRevision, SeededService, Settler
from console.sandbox.resources import CONFIGMAPS, NAMESPACES
from console.sandbox.store import Store

CAPACITY = re.compile(r"capacity:(\d+),(\d+)")
CAPACITY_NAMESPACES = 20
DEMO_GATES = (
    "kubernetes.podspec-nodeselector",
    "kubernetes.podspec-tolerations",
    "kubernetes.podspec-persistent-volume-claim",
    "kubernetes.podspec-persistent-volume-write",
)


def seed(store: Store, name: str) -> None:
    """Fill a store that nothing follows yet with settled objects.

    `demo` is a small company's cluster; `capacity:N,M` has N services of M revisions each; `empty` adds nothing.
    Raises ValueError for a seed that is not known.
    """
    capacity = CAPACITY.fullmatch(name)
    if name == "demo":
        seed_demo(store)
    elif capacity:
        seed_capacity(store, int(capacity.group(1)), int(capacity.group(2)))
    elif name not in ("", "empty"):
        raise ValueError(f"There is no seed named {name!r}; known: demo, empty, capacity:N,M")


def seed_demo(store: Store) -> None:
    """Namespaces, what the services refer to, and the services."""
    settler = Settler(store)
    for resource, obj, age in plain_objects():
        if not store.find(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]):
            settler.plain(resource, obj, age)
    for service in DEMO_SERVICES:
        settler.service(service)
    _enable(store, DEMO_GATES)


def _enable(store: Store, gates: tuple[str, ...]) -> None:
    """Open feature gates, as the cluster's administrators do."""
    if found := store.find(CONFIGMAPS, "knative-serving", "config-features"):
        store.update(CONFIGMAPS, {**found, "data": {**found.get("data", {}), **dict.fromkeys(gates, "enabled")}})


def seed_capacity(store: Store, services: int, revisions: int) -> None:
    """`services` services over 20 namespaces, each with `revisions` revisions, the latest serving; no pods run."""
    if not revisions:
        raise ValueError("A service has at least one revision")
    settler = Settler(store, is_whole=False)
    for number in range(CAPACITY_NAMESPACES):
        metadata = {"name": f"team-{number:02d}"}
        if not store.find(NAMESPACES, "", metadata["name"]):
            settler.plain(NAMESPACES, {"metadata": metadata, "status": {"phase": "Active"}}, timedelta(days=30))
    for number in range(services):
        history = [
            SeededRevision(
                {
                    "spec": {
                        "containers": [
                            {
                                "image": "gcr.io/knative-samples/helloworld-go",
                                "env": [{"name": "TARGET", "value": f"Number {generation}"}],
                            }
                        ]
                    }
                },
                creator=f"user-{number % 7}@example.com",
                age=timedelta(days=revisions - generation + 1, minutes=number),
            )
            for generation in range(1, revisions + 1)
        ]
        settler.service(SeededService(f"team-{number % CAPACITY_NAMESPACES:02d}", f"service-{number:04d}", history))
