"""How the sandbox carries 1,000 services with 10 revisions each: memory, lists, pages, a watch and writes.

    .venv/bin/python -m tests.bench.sandbox_capacity [services] [revisions]

Prints one line a measure. The objects are put in by a state file, settled as the controllers would have left them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.sandbox.api_client import SERVING, Client
from tests.sandbox_process import sandbox

STAMP = "2026-01-01T00:00:00Z"
API_VERSION = "serving.knative.dev/v1"
IMAGE = "gcr.io/knative-samples/helloworld-go"
LIST_ROUNDS = 5
WRITES = 100


def main() -> None:
    services, revisions = map(int, sys.argv[1:3] or (1000, 10))
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.json"
        objects = list(cluster(services, revisions))
        state.write_text(json.dumps({"version": len(objects) + 1, "objects": objects}))
        print(f"objects                        {len(objects)}, state file {state.stat().st_size / 1e6:.0f} MB")
        started = time.perf_counter()
        with sandbox(state=state, speed=1) as box:
            print(f"start until ready              {time.perf_counter() - started:.2f} s")
            measure(Client(box.url, box.token), box.process.pid)


def measure(admin: Client, pid: int) -> None:
    """Print every measure."""
    print(f"memory after start             {resident_mb(pid):.0f} MB")
    for plural in ("services", "revisions"):
        size = len(json.dumps(admin.get(f"{SERVING}/{plural}").body))
        seconds = best(lambda plural=plural: admin.get(f"{SERVING}/{plural}"))
        print(f"list of all {plural:<19}{seconds * 1000:.0f} ms with decoding, {size / 1e6:.1f} MB")
    print(f"revisions in pages of 500      {best(lambda: pages(admin)) * 1000:.0f} ms")
    selector = "labelSelector=serving.knative.dev%2Fservice%3Dservice-0500"
    print(f"revisions of one service       {best(lambda: admin.get(f'{SERVING}/revisions?{selector}')) * 1000:.1f} ms")
    one = f"{SERVING}/namespaces/team-0/services/service-0000"
    print(f"get of one service             {best(lambda: admin.get(one)) * 1000:.1f} ms")
    started = time.perf_counter()
    for number in range(WRITES):
        admin.merge(one, {"metadata": {"labels": {"write": str(number)}}})
    print(f"writes one after another       {WRITES / (time.perf_counter() - started):.0f} a second")
    print(f"memory at the end              {resident_mb(pid):.0f} MB")


def pages(admin: Client) -> None:
    token = ""
    while True:
        answer = admin.get(f"{SERVING}/revisions?limit=500&continue={token}").body
        token = answer["metadata"].get("continue", "")
        if not token:
            return


def best(action: Callable[[], Any]) -> float:
    """The shortest of a few runs, in seconds."""

    def seconds() -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    return min(seconds() for _ in range(LIST_ROUNDS))


def resident_mb(pid: int) -> float:
    """The resident memory of a process (Linux)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cluster(services: int, revisions: int) -> Iterator[dict[str, Any]]:
    """Ten namespaces with services, each with its configuration, route and revisions."""
    versions = iter(range(1, 10_000_000))
    for number in range(10):
        yield made("v1", "Namespace", "", f"team-{number}", {}, {"phase": "Active"}, versions)
    for number in range(services):
        yield from one_service(f"team-{number % 10}", f"service-{number:04d}", revisions, versions)


def one_service(namespace: str, name: str, revisions: int, versions: Iterator[int]) -> Iterator[dict[str, Any]]:
    latest = f"{name}-{revisions:05d}"
    env = [{"name": f"SETTING_{index}", "value": "x" * 20} for index in range(10)]
    container = {"name": "user-container", "image": IMAGE, "env": env, "resources": {}}
    spec = {"containers": [container], "containerConcurrency": 0, "timeoutSeconds": 300, "enableServiceLinks": False}
    template = {"metadata": {"creationTimestamp": None}, "spec": spec}
    target = {"latestRevision": True, "percent": 100}
    url = f"http://{name}.{namespace}.example.com"
    observed = {"observedGeneration": 1, "url": url, "traffic": [target | {"revisionName": latest}]}
    names = {"latestReadyRevisionName": latest, "latestCreatedRevisionName": latest}
    parts = ready("ConfigurationsReady", "RoutesReady")
    service = made(
        API_VERSION,
        "Service",
        namespace,
        name,
        {"template": template, "traffic": [target]},
        observed | names | parts,
        versions,
    )
    yield service
    label = {"serving.knative.dev/service": name}
    configuration = made(
        API_VERSION,
        "Configuration",
        namespace,
        name,
        {"template": template},
        names | {"observedGeneration": 1} | ready(),
        versions,
        label,
        service,
    )
    yield configuration
    parts = ready("AllTrafficAssigned", "IngressReady", "CertificateProvisioned")
    traffic = {"traffic": [target | {"configurationName": name}]}
    yield made(API_VERSION, "Route", namespace, name, traffic, observed | parts, versions, label, service)
    for generation in range(1, revisions + 1):
        labels = label | {
            "serving.knative.dev/configuration": name,
            "serving.knative.dev/configurationGeneration": str(generation),
            "serving.knative.dev/routingState": "active" if generation == revisions else "reserve",
        }
        status = {"observedGeneration": 1, "actualReplicas": 0, "desiredReplicas": 0} | ready(
            "Active", "ContainerHealthy", "ResourcesAvailable"
        )
        yield made(
            API_VERSION,
            "Revision",
            namespace,
            f"{name}-{generation:05d}",
            spec,
            status,
            versions,
            labels,
            configuration,
        )


def ready(*types: str) -> dict[str, Any]:
    conditions = [{"type": each, "status": "True", "lastTransitionTime": STAMP} for each in (*types, "Ready")]
    return {"conditions": conditions}


def made(
    api_version: str,
    kind: str,
    namespace: str,
    name: str,
    spec: dict[str, Any],
    status: dict[str, Any],
    versions: Iterator[int],
    labels: dict[str, str] | None = None,
    owner: dict[str, Any] | None = None,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": name,
        "uid": str(uuid.uuid4()),
        "resourceVersion": str(next(versions)),
        "creationTimestamp": STAMP,
        "generation": 1,
        "labels": labels or {},
    }
    if namespace:
        metadata["namespace"] = namespace
    if owner:
        reference = {key: owner[key] for key in ("apiVersion", "kind")}
        reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True}
        metadata["ownerReferences"] = [reference]
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


if __name__ == "__main__":
    main()
