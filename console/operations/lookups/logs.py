"""The newest lines of a revision's containers, read from the cluster while somebody looks.

Nothing is kept but what people follow: masked, in this process, for the seconds between two of their looks.
"""

from dataclasses import dataclass
from typing import NamedTuple

from console.access.models import User
from console.cluster import errors
from console.cluster.gateway import Gateway
from console.knative.pods import Pod
from console.knative.redaction import Redactor, secrets_of
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for
from console.operations.lookups.looks import Looks

LINES = (100, 500, 2000)  # how many a person may ask for
MAX_BYTES = 512 * 1024
MAX_FOLLOWED = 16  # logs that are kept at once, of MAX_BYTES each at most

_looks: Looks["Log"] = Looks(MAX_FOLLOWED)


class Wanted(NamedTuple):
    """What a person asks for. `previous`: what the container printed before its last restart."""

    lines: int = LINES[0]
    pod: str = ""
    container: str = ""
    previous: bool = False


@dataclass(frozen=True)
class Log:
    """The last output of one container. `pods` are those of the revision now; `why_not` says why there is no text."""

    pods: tuple[Pod, ...]
    pod: str = ""
    container: str = ""
    containers: tuple[str, ...] = ()
    text: str = ""
    why_not: str = ""


def tail(ref: ServiceRef, revision: str, *, user: User, wanted: Wanted) -> Log:
    """Return the last lines of a container of one of the revision's pods, without its secrets; raises a ClusterError.

    Without a pod or container that is there, the newest pod and the container that takes the requests are taken.
    """
    return _tail(gateway_for(ref.cluster, user), ref, revision, wanted)


def followed(ref: ServiceRef, revision: str, *, user: User, wanted: Wanted) -> Log:
    """As `tail`, of what the cluster was asked for within the last seconds by this person, or by anybody else as whom
    the cluster cannot tell them apart.

    Where the console acts for people by impersonation, the cluster decides what each may read: then nobody shares.
    """
    gateway = gateway_for(ref.cluster, user)
    asked = (gateway.identity, ref, revision, wanted)
    return _looks.shared(asked, lambda: _tail(gateway, ref, revision, wanted))


def _tail(gateway: Gateway, ref: ServiceRef, revision: str, wanted: Wanted) -> Log:
    made = gateway.revision(ref.namespace, revision)
    if made.service_name != ref.name:
        raise errors.NotFound("The revision belongs to another service", 404)
    pods = tuple(sorted(gateway.pods(ref.namespace, revision=revision), key=_newest_first))
    chosen = next((one for one in pods if one.name == wanted.pod), pods[0] if pods else None)
    if chosen is None:
        return Log(())
    names = tuple(str(one.get("name", "")) for one in chosen.spec.get("containers") or ())
    serving = made.user_container.name if made.user_container else ""
    container = next((name for name in (wanted.container, serving) if name in names), names[0])
    text, why_not = _read(gateway, chosen, container, wanted.previous, wanted.lines)
    redact = Redactor(secrets_of(made.raw) | secrets_of(chosen.raw))
    return Log(pods, chosen.name, container, names, redact(text), redact(why_not))


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
