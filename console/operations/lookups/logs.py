"""The newest lines of a revision's containers, read from the cluster while somebody looks; nothing is kept."""

from dataclasses import dataclass

from console.access.models import User
from console.cluster import errors
from console.cluster.gateway import Gateway
from console.knative.pods import Pod
from console.knative.redaction import Redactor, secrets_of
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for

LINES = (100, 500, 2000)  # how many a person may ask for
MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class Log:
    """The last output of one container. `pods` are those of the revision now; `why_not` says why there is no text."""

    pods: tuple[Pod, ...]
    pod: str = ""
    container: str = ""
    containers: tuple[str, ...] = ()
    text: str = ""
    why_not: str = ""


def tail(
    ref: ServiceRef,
    revision: str,
    *,
    user: User,
    pod: str = "",
    container: str = "",
    previous: bool = False,
    lines: int,
) -> Log:
    """Return the last lines of a container of one of the revision's pods, without its secrets; raises a ClusterError.

    Without a pod or container that is there, the newest pod and the container that takes the requests are taken.
    `previous`: what the container printed before its last restart.
    """
    gateway = gateway_for(ref.cluster, user)
    made = gateway.revision(ref.namespace, revision)
    if made.service_name != ref.name:
        raise errors.NotFound("The revision belongs to another service", 404)
    pods = tuple(sorted(gateway.pods(ref.namespace, revision=revision), key=_newest_first))
    chosen = next((one for one in pods if one.name == pod), pods[0] if pods else None)
    if chosen is None:
        return Log(())
    names = tuple(str(one.get("name", "")) for one in chosen.spec.get("containers") or ())
    serving = made.user_container.name if made.user_container else ""
    wanted = container if container in names else serving if serving in names else names[0]
    text, why_not = _read(gateway, chosen, wanted, previous, lines)
    redact = Redactor(secrets_of(made.raw) | secrets_of(chosen.raw))
    return Log(pods, chosen.name, wanted, names, redact(text), redact(why_not))


def _newest_first(pod: Pod) -> float:
    return -(pod.created_at.timestamp() if pod.created_at else 0.0)


def _read(gateway: Gateway, pod: Pod, container: str, previous: bool, lines: int) -> tuple[str, str]:
    """The text, or the cluster's own reason for there being none: not started, or never restarted."""
    try:
        return gateway.pod_log(
            pod.namespace, pod.name, container, previous=previous, lines=lines, max_bytes=MAX_BYTES
        ), ""
    except (errors.Refused, errors.NotFound) as error:
        return "", error.raw
