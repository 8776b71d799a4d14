"""A Kubernetes Event on the service that names the person and the operation, for those who only look with kubectl."""

from collections.abc import Callable

import structlog
from django.utils import timezone

from console.cluster.errors import AlreadyExists, ClusterError
from console.cluster.gateway import Gateway
from console.operations.models import Operation
from console.operations.models.statuses import SUCCESSFUL, Status

log = structlog.get_logger(__name__)


def leave(gateway: Callable[[], Gateway], operation: Operation, status: Status) -> None:
    """Create the event; its name is the operation's, so a second attempt adds nothing. Not being allowed to is fine."""
    try:
        gateway().create_event(operation.namespace, _event(operation, status))
    except AlreadyExists:
        return
    except ClusterError as error:
        log.info("cluster_event_not_written", operation=str(operation.id), reason=type(error).__name__)


def _event(operation: Operation, status: Status) -> dict[str, object]:
    now = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "namespace": operation.namespace,
        "name": operation.name,
        "uid": operation.uid,
    }
    words = status.value.replace("-", " ")
    glass = f"; emergency override of approval or freeze: {operation.reason}"[:400] if operation.broke_glass else ""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{operation.name}.{operation.id.hex[:16]}", "namespace": operation.namespace},
        "involvedObject": about,
        "reason": "Operation" + status.value.title().replace("-", ""),
        "message": f"{operation.kind} by {operation.actor} {words} (operation {operation.id}){glass}",
        "type": "Normal" if status in SUCCESSFUL and not glass else "Warning",
        "source": {"component": "sluice"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
