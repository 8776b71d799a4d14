"""What breaks pages that were tried with the demo only: very long names, very many of everything, very long errors.

`seed(running)` puts it into the sandbox of a running console, through the API that every client has.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.console_process import RunningConsole
from tests.waiting import eventually

LONGEST = "a-service-whose-name-is-as-long-as-kubernetes-lets-it-be-indeed"  # 63 characters, the limit
LONGEST_NAMESPACE = "a-namespace-whose-name-is-as-long-as-kubernetes-lets-it-be-here"
LONG_IMAGE = f"registry.example.com/{'a-team-with-many-words/' * 8}missing:2026.11.26-{'f' * 80}"
VARIABLES, REVISIONS, NAMESPACES = 2_000, 300, 50
HELLO = "gcr.io/knative-samples/helloworld-go"
SEED_SECONDS = 120


def service(name: str, image: str = HELLO, env: list[dict[str, str]] | None = None, **annotations: str) -> Any:
    container = {"image": image, "env": env or []}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {"annotations": annotations}, "spec": {"containers": [container]}}},
    }


class Cluster:
    """The sandbox's API, as its administrator."""

    def __init__(self, running: RunningConsole) -> None:
        self.facts = json.loads((running.state / "sandbox.json").read_text())

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.facts['token']}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.facts["url"] + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def create(self, namespace: str, body: Any) -> Any:
        return self.ask("POST", services(namespace), body)

    def create_namespace(self, name: str) -> None:
        self.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def services(namespace: str) -> str:
    return f"/apis/serving.knative.dev/v1/namespaces/{namespace}/services"


def seed(running: RunningConsole, speed: float = 4) -> None:
    """`speed`: of the sandbox afterwards."""
    cluster = Cluster(running)
    variables = [{"name": f"VARIABLE_{number:04}", "value": f"value {number}"} for number in range(VARIABLES)]
    cluster.create_namespace(LONGEST_NAMESPACE)
    cluster.create(LONGEST_NAMESPACE, service(LONGEST))
    cluster.create("default", service("variables", env=variables))
    cluster.create("default", service("long-error", LONG_IMAGE))
    for number in range(NAMESPACES):
        cluster.create_namespace(f"namespace-{number:02}")
        cluster.create(f"namespace-{number:02}", service("one-of-many"))
    cluster.ask("POST", "/sandbox/speed", {"speed": 50})
    make_revisions(cluster, "many-revisions", REVISIONS)
    cluster.ask("POST", "/sandbox/speed", {"speed": speed})


def make_revisions(cluster: Cluster, name: str, count: int) -> None:
    """Change the service `count` - 1 times; each change waits for the revision of the one before."""
    cluster.create("default", service(name))
    address = f"{services('default')}/{name}"
    for number in range(1, count):
        made = f"{name}-{number:05}"
        eventually(
            lambda made=made: latest(cluster.ask("GET", address)) == made,
            timeout=SEED_SECONDS,
            message=f"{made} was not made",
        )
        cluster.ask("PATCH", address, {"spec": {"template": {"metadata": {"annotations": {"number": str(number)}}}}})


def latest(found: Any) -> str:
    name: str = found.get("status", {}).get("latestCreatedRevisionName", "")
    return name
