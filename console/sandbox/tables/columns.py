"""The columns of each kind: Kubernetes' printers for its own, additionalPrinterColumns of the CRDs for Knative's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from console.sandbox.resources import (
    CLAIMS,
    CLUSTERROLEBINDINGS,
    CONFIGMAPS,
    CONFIGURATIONS,
    CORE_SERVICES,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    REVISIONS,
    ROLEBINDINGS,
    ROUTES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    Resource,
)
from console.sandbox.tables import core, pods
from console.sandbox.tables.ages import age

Object = dict[str, Any]
Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; priority 1 shows only with `-o wide`."""

    name: str
    cell: Callable[[Object], Cell]
    description: str = ""
    type: str = "string"
    format: str = ""
    priority: int = 0

    def definition(self) -> dict[str, Any]:
        """As the Table says it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """The columns of a kind; those without a printer have a name and a date."""
    return _COLUMNS.get(resource, (NAME, CREATED))


def _at(*path: str) -> Callable[[Object], Cell]:
    """The value at a path of the object, None where there is none."""

    def read(obj: Object) -> Cell:
        value: Any = obj
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        found: Cell = value
        return found

    return read


def _text(*path: str) -> Callable[[Object], Cell]:
    """The text at a path, empty where there is none."""
    read = _at(*path)
    return lambda obj: read(obj) or ""


def _ready_condition(field: str) -> Callable[[Object], Cell]:
    def read(obj: Object) -> Cell:
        conditions = (obj.get("status") or {}).get("conditions") or ()
        found: Cell = next((each.get(field) for each in conditions if each.get("type") == "Ready"), None)
        return found

    return read


def _custom(name: str, path: str, cell: Callable[[Object], Cell], type: str = "string") -> Column:
    return Column(name, cell, f"Custom resource definition column (in JSONPath format): {path}", type)


def _age_of(*path: str) -> Callable[[Object], Cell]:
    read = _at(*path)
    return lambda obj: age(read(obj))  # type: ignore[arg-type]  # moments are texts


def _source(event: Object) -> str:
    """Who reported it: component and host, or the controller's name and instance."""
    source = event.get("source") or {}
    names = (
        source.get("component") or event.get("reportingComponent"),
        source.get("host") or event.get("reportingInstance"),
    )
    return ", ".join(filter(None, names))


def _first_seen(event: Object) -> str:
    return age(event.get("firstTimestamp") or event.get("eventTime"))


def _last_seen(event: Object) -> str:
    series = event.get("series") or {}
    last = series.get("lastObservedTime") or event.get("lastTimestamp")
    return age(last) if last else _first_seen(event)


def _count(event: Object) -> int:
    return (event.get("series") or {}).get("count") or event.get("count") or 1


def _involved(event: Object) -> str:
    about = event.get("involvedObject") or {}
    kind, name = str(about.get("kind", "")).lower(), about.get("name")
    return f"{kind}/{name}" if name else kind


def _subjects(kind: str) -> Callable[[Object], Cell]:
    in_namespace = kind == "ServiceAccount"

    def read(binding: Object) -> Cell:
        chosen = [each for each in binding.get("subjects") or () if each.get("kind") == kind]
        prefixes = [f"{each.get('namespace', '')}/" if in_namespace else "" for each in chosen]
        return ", ".join(prefix + each["name"] for prefix, each in zip(prefixes, chosen, strict=True))

    return read


def _role(binding: Object) -> str:
    reference = binding["roleRef"]
    return f"{reference['kind']}/{reference['name']}"


def _sizes(*fields: str) -> Callable[[Object], Cell]:
    return lambda obj: sum(len(obj.get(field) or ()) for field in fields)


NAME = Column("Name", _at("metadata", "name"), "Name must be unique within a namespace.", format="name")
AGE = Column("Age", _age_of("metadata", "creationTimestamp"), "The time since its creation.")
CREATED = Column("Created At", _at("metadata", "creationTimestamp"), "The time of its creation.", type="date")
READY = _custom("Ready", ".status.conditions[?(@.type=='Ready')].status", _ready_condition("status"))
REASON = _custom("Reason", ".status.conditions[?(@.type=='Ready')].reason", _ready_condition("reason"))
URL = _custom("URL", ".status.url", _at("status", "url"))
LATEST = (
    _custom("LatestCreated", ".status.latestCreatedRevisionName", _at("status", "latestCreatedRevisionName")),
    _custom("LatestReady", ".status.latestReadyRevisionName", _at("status", "latestReadyRevisionName")),
)
BINDING = (
    NAME,
    Column("Role", _role, "The role that is bound."),
    AGE,
    Column("Users", _subjects("User"), "Users in the binding.", priority=1),
    Column("Groups", _subjects("Group"), "Groups in the binding.", priority=1),
    Column("ServiceAccounts", _subjects("ServiceAccount"), "ServiceAccounts in the binding.", priority=1),
)


WORKLOAD = (
    Column("Containers", core.containers, "The names of its containers.", priority=1),
    Column("Images", core.images, "The images of its containers.", priority=1),
    Column("Selector", core.workload_selector, "The labels of its pods.", priority=1),
)


def _label(name: str, label: str) -> Column:
    escaped = label.replace(".", "\\.")
    return _custom(name, f".metadata.labels['{escaped}']", _at("metadata", "labels", label))


_COLUMNS: dict[Resource, tuple[Column, ...]] = {
    PODS: (
        NAME,
        Column("Ready", pods.ready, "The aggregate readiness state of this pod for accepting traffic."),
        Column("Status", pods.status, "The aggregate status of the containers in this pod."),
        Column("Restarts", pods.restarts, "How often its containers were restarted, and when that was last."),
        AGE,
        Column("IP", pods.address, "The address of the pod.", priority=1),
        Column("Node", pods.node, "The node that runs the pod.", priority=1),
        Column("Nominated Node", pods.nominated_node, "The node that preemption chose.", priority=1),
        Column("Readiness Gates", pods.readiness_gates, "How many readiness gates are open.", priority=1),
    ),
    EVENTS: (
        Column("Last Seen", _last_seen, "When it was seen last."),
        Column("Type", _text("type"), "Normal or Warning."),
        Column("Reason", _text("reason"), "Why, in one word."),
        Column("Object", _involved, "What it is about."),
        Column("Subobject", _text("involvedObject", "fieldPath"), "Which part.", priority=1),
        Column("Source", _source, "Who reported it.", priority=1),
        Column("Message", lambda event: str(event.get("message") or "").strip(), "What happened."),
        Column("First Seen", _first_seen, "When it was seen first.", priority=1),
        Column("Count", _count, "How often it was seen.", priority=1),
        Column("Name", _at("metadata", "name"), "The name of the event.", format="name", priority=1),
    ),
    NAMESPACES: (NAME, Column("Status", _text("status", "phase"), "The status of the namespace"), AGE),
    SECRETS: (
        NAME,
        Column("Type", _text("type"), "What its data is for."),
        Column("Data", _sizes("data"), "How many keys it has."),
        AGE,
    ),
    CONFIGMAPS: (NAME, Column("Data", _sizes("data", "binaryData"), "How many keys it has."), AGE),
    SERVICEACCOUNTS: (NAME, AGE),
    CORE_SERVICES: (
        NAME,
        Column("Type", _text("spec", "type"), "How it is reached."),
        Column("Cluster-IP", core.service_address, "Its address inside the cluster."),
        Column("External-IP", core.service_external, "Where it leads to, or is reached from outside."),
        Column("Port(s)", core.service_ports, "Its ports."),
        AGE,
        Column("Selector", core.service_selector, "The labels of its pods.", priority=1),
    ),
    CLAIMS: (
        NAME,
        Column("Status", core.claim_status, "Whether it has a volume."),
        Column("Volume", _text("spec", "volumeName"), "Its volume."),
        Column("Capacity", core.claim_capacity, "The size of the volume."),
        Column("Access Modes", core.claim_modes, "How the volume may be mounted."),
        Column("StorageClass", core.claim_class, "Who makes its volume."),
        Column("VolumeAttributesClass", core.attributes_class, "The class of the volume's attributes."),
        AGE,
        Column("VolumeMode", core.volume_mode, "A file system or a device.", priority=1),
    ),
    NODES: (
        NAME,
        Column("Status", core.node_status, "Whether it is ready and takes pods."),
        Column("Roles", core.node_roles, "Its roles."),
        AGE,
        Column("Version", partial(core.node_fact, "kubeletVersion", ""), "The version of its kubelet."),
        Column("Internal-IP", partial(core.node_address, "InternalIP"), "Its address in the network.", priority=1),
        Column("External-IP", partial(core.node_address, "ExternalIP"), "Its address outside.", priority=1),
        Column("OS-Image", partial(core.node_fact, "osImage", core.UNKNOWN), "Its system.", priority=1),
        Column("Kernel-Version", partial(core.node_fact, "kernelVersion", core.UNKNOWN), "Its kernel.", priority=1),
        Column(
            "Container-Runtime",
            partial(core.node_fact, "containerRuntimeVersion", core.UNKNOWN),
            "What runs its containers.",
            priority=1,
        ),
    ),
    DEPLOYMENTS: (
        NAME,
        Column("Ready", core.deployment_ready, "How many of its pods are ready."),
        Column("Up-to-date", core.deployment_updated, "How many pods are of the newest template."),
        Column("Available", core.deployment_available, "How many pods have been ready for long enough."),
        AGE,
        *WORKLOAD,
    ),
    REPLICASETS: (
        NAME,
        Column("Desired", core.desired, "How many pods it wants.", type="integer"),
        Column("Current", core.current, "How many pods it has.", type="integer"),
        Column("Ready", core.ready, "How many of its pods are ready.", type="integer"),
        AGE,
        *WORKLOAD,
    ),
    ROLEBINDINGS: BINDING,
    CLUSTERROLEBINDINGS: BINDING,
    SERVICES: (NAME, URL, *LATEST, READY, REASON),
    CONFIGURATIONS: (NAME, *LATEST, READY, REASON),
    ROUTES: (NAME, URL, READY, REASON),
    REVISIONS: (
        NAME,
        _label("Config Name", "serving.knative.dev/configuration"),
        _label("Generation", "serving.knative.dev/configurationGeneration"),
        READY,
        REASON,
        _custom("Actual Replicas", ".status.actualReplicas", _at("status", "actualReplicas"), "integer"),
        _custom("Desired Replicas", ".status.desiredReplicas", _at("status", "desiredReplicas"), "integer"),
    ),
}
