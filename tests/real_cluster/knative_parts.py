"""Knative Serving's own control plane: its YAML, its webhook, controller, autoscaler and (with pods) activator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.console_process import free_port
from tests.real_cluster import programs
from tests.real_cluster.box import ControlPlane, apply
from tests.real_cluster.kubelet import probes
from tests.real_cluster.node_parts import NodeParts
from tests.real_cluster.releases import RELEASES

ANSWERING = {"allow-zero-initial-scale": "true", "initial-scale": "0"}
# Short, so that tests see a revision go to sleep; a service may ask for less (annotation window, 6 s at least).
SCALING = {
    "allow-zero-initial-scale": "true",
    "initial-scale": "1",
    "stable-window": "15s",
    "panic-window-percentage": "20",  # of the shortest window it has to be a second
    "scale-to-zero-grace-period": "10s",
}
IN_THE_SOURCES = "app.kubernetes.io/version: devel"
AUTOSCALER_PORT = 8080
ACTIVATOR_PORTS = {"http": (80, 8012), "http2": (81, 8013)}


def install_knative(box: ControlPlane, *, with_pods: bool) -> None:
    """Apply Knative's own YAML from its modules, with the settings that a machine without containers needs."""
    serving, networking, caching = (_config(box, name) for name in ("serving", "networking", "caching"))
    serving /= "core"
    _apply(box, [serving / "100-namespace.yaml", serving / "200-serviceaccount.yaml", *sorted(caching.glob("*.yaml"))])
    _apply(box, [*sorted((serving / "200-roles").glob("*.yaml")), *sorted((serving / "300-resources").glob("*.yaml"))])
    _apply(box, sorted(networking.glob("*.yaml")))
    _apply(box, sorted((serving / "configmaps").glob("*.yaml")))
    _set(
        box,
        "config-deployment",
        {"registries-skipping-tag-resolving": "gcr.io,registry.example.com,kind.local,ko.local,dev.local"},
    )
    _set(box, "config-autoscaler", SCALING if with_pods else ANSWERING)
    _set(box, "config-domain", {"example.com": ""})


def _apply(box: ControlPlane, files: list[Path]) -> None:
    for file in files:
        for document in _documents(box, file):
            apply(box, document)


def _config(box: ControlPlane, module: str) -> Path:
    return programs.module_folder(f"serving/{box.release}", f"knative.dev/{module}") / "config"


def _documents(box: ControlPlane, file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, labelled with the release as those that Knative publishes are (`devel` in the sources)."""
    text = file.read_text().replace(IN_THE_SOURCES, f"app.kubernetes.io/version: {RELEASES[box.release]}")
    yield from filter(None, yaml.safe_load_all(text))


def _set(box: ControlPlane, name: str, data: dict[str, str]) -> None:
    path = f"/api/v1/namespaces/knative-serving/configmaps/{name}"
    answer = box.ask("PATCH", path, {"data": data}, content_type="application/merge-patch+json")
    assert answer.status == 200, answer.data


def start_knative(box: ControlPlane, binaries: Path, node: NodeParts | None) -> None:
    """Start the programs in the one order that works on one machine.

    The webhook answers on loopback: its Service is an ExternalName, its port stands in the configurations.

    Autoscaler and controller both listen on port 8080 (statserver and injection.ServeHealthProbes, no setting moves
    either), each in its own pod elsewhere. A controller that finds it taken does without its probes; an autoscaler
    that finds it taken waits for ever and runs on, without a word. So the controller waits for the autoscaler, also
    whenever it is started again.
    """
    webhook_port = free_port()
    _start(box, binaries, "webhook", {"WEBHOOK_NAME": "webhook", "WEBHOOK_PORT": str(webhook_port)})
    # The autoscaler wants an address; without a node a documentation address does, where nothing is sent.
    address = {"POD_IP": node.address if node else "192.0.2.10"}
    _start(box, binaries, "autoscaler", address, node)
    _start(box, binaries, "controller", {}, after=autoscaler_answers)
    if node:
        _announce_activator(box, node)
        _start(box, binaries, "activator", address, node)
        _wait_for_activator(box, node)
    _apply_webhooks(box, webhook_port)


def autoscaler_answers() -> bool:
    """Whether the autoscaler has its port: it welcomes a kubelet at any path, the controller only at its own two."""
    return probes.get({"port": AUTOSCALER_PORT}, "127.0.0.1", 1) == 200


def _start(
    box: ControlPlane,
    binaries: Path,
    name: str,
    more: dict[str, str],
    node: NodeParts | None = None,
    after: Callable[[], bool] = lambda: True,
) -> None:
    """Start one of the programs; with a node it resolves the names of services."""
    environment = {
        "SYSTEM_NAMESPACE": "knative-serving",
        "CONFIG_LOGGING_NAME": "config-logging",
        "CONFIG_OBSERVABILITY_NAME": "config-observability",
        "METRICS_DOMAIN": "knative.dev/internal/serving",
        "POD_NAME": name,
        "METRICS_PROMETHEUS_PORT": str(free_port()),
        "PROFILING_PORT": str(free_port()),
        **more,
    }
    command = [str(binaries / name), f"--kubeconfig={box.folder / 'kubeconfig'}"]
    if name != "activator":
        command += ["-kube-api-qps", "400", "-kube-api-burst", "800"]
    box.start(name, node.dns.inside(command) if node else command, environment, after)


def _announce_activator(box: ControlPlane, node: NodeParts) -> None:
    """Its Service and Endpoints, without a selector: it is no pod, but a process beside the others."""
    names = {"name": "activator-service", "namespace": "knative-serving", "labels": {"app": "activator"}}
    ports = [{"name": name, "port": port, "targetPort": target} for name, (port, target) in ACTIVATOR_PORTS.items()]
    apply(box, {"apiVersion": "v1", "kind": "Service", "metadata": names, "spec": {"ports": ports}})
    targets = [{"name": name, "port": target} for name, (_, target) in ACTIVATOR_PORTS.items()]
    subset = {"addresses": [{"ip": node.address}], "ports": targets}
    apply(box, {"apiVersion": "v1", "kind": "Endpoints", "metadata": names, "subsets": [subset]})


def _wait_for_activator(box: ControlPlane, node: NodeParts) -> None:
    """It is healthy when it has reached the autoscaler by its name."""
    port = ACTIVATOR_PORTS["http"][1]
    box.wait_for(lambda: probes.get({"port": port}, node.address, 1) == 200, "the activator is not healthy")


def _apply_webhooks(box: ControlPlane, port: int) -> None:
    for file in sorted((_config(box, "serving") / "core" / "webhooks").glob("*.yaml")):
        for document in _documents(box, file):
            for hook in document.get("webhooks", []):
                hook["clientConfig"]["service"]["port"] = port
            apply(box, document)
    service = {"type": "ExternalName", "externalName": "localhost"}
    metadata = {"name": "webhook", "namespace": "knative-serving"}
    apply(box, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
