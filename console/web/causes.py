"""Why an operation ended, or a service does not work, in words for people: the text of each code of a cause.

A code without a text here fails a test. Texts name facts of the code's class (console.knative.causes) by their names.
"""

from dataclasses import fields

from django.utils.translation import gettext_lazy

from console.knative.causes import Cause, Code, Exit, Facts, Image, Input, Writer
from console.web import author_words, words


def text(cause: Cause) -> str:
    """Return the cause in plain words, with what to do. Problems of an input have their form's words."""
    if isinstance(cause.facts, Input):
        return words.problem_of(cause.facts.problem.code, cause.facts.problem.facts)
    return str(_template(cause)) % _shown(cause.facts)


def short(code: str) -> str:
    """Return the cause in two or three words, for a row of a list; empty where it is not known."""
    return str(_SHORT.get(code, ""))


def _template(cause: Cause) -> object:
    if isinstance(cause.facts, Image) and cause.facts.image:
        return _IMAGE_BY_NAME
    exit_code = cause.facts.exit_code if isinstance(cause.facts, Exit) else None
    return _TEXTS[cause.code] if exit_code is None or cause.code is not Code.CRASH else _CRASH_WITH_CODE


def _shown(facts: Facts) -> dict[str, object]:
    """The facts by name. One that is not known is shown as a question mark; a note or comment may be empty."""
    found = {one.name: getattr(facts, one.name) for one in fields(facts)}
    if isinstance(facts, Writer) and found["who"] not in _NOBODY and not facts.operation:
        found["who"] = author_words.identity(found["who"])
    return {name: "?" if value in ("", None) and name not in _OPTIONAL else value for name, value in found.items()}


_NOBODY = ("", "?")
_OPTIONAL = ("comment", "note")
_SHORT: dict[str, object] = {
    Code.IMAGE_MISSING: gettext_lazy("image cannot be pulled"),
    Code.CRASH: gettext_lazy("container keeps crashing"),
    Code.EXITS: gettext_lazy("container exits"),
    Code.OUT_OF_MEMORY: gettext_lazy("out of memory"),
    Code.LIVENESS: gettext_lazy("liveness probe fails"),
    Code.PROBE: gettext_lazy("not ready in time"),
    Code.CANNOT_START: gettext_lazy("container cannot start"),
    Code.DEADLINE: gettext_lazy("not ready in time"),
    Code.QUOTA: gettext_lazy("quota exceeded"),
    Code.UNSCHEDULABLE: gettext_lazy("no node fits"),
    Code.EVICTED: gettext_lazy("pod evicted"),
    Code.VOLUME: gettext_lazy("volume cannot be mounted"),
    Code.SECRET_MISSING: gettext_lazy("Secret missing"),
    Code.CONFIG_MAP_MISSING: gettext_lazy("ConfigMap missing"),
    Code.REVISION_MISSING: gettext_lazy("revision missing"),
    Code.REVISION_NOT_OWNED: gettext_lazy("revision of another service"),
    Code.INGRESS: gettext_lazy("ingress not ready"),
}
_CRASH_WITH_CODE = gettext_lazy(
    "The container keeps crashing (exit code %(exit_code)s). Its last log lines usually show why."
)
_IMAGE_BY_NAME = gettext_lazy(
    "The image %(image)s cannot be pulled. Check its name and tag, and that the cluster can pull from the registry."
)
_TEXTS = {
    Code.IMAGE_MISSING: gettext_lazy(
        "The image cannot be pulled. Check its name and tag, and that the cluster can pull from the registry."
    ),
    Code.CRASH: gettext_lazy("The container keeps crashing. Its last log lines usually show why."),
    Code.EXITS: gettext_lazy(
        "The container exits without an error (exit code 0). A service must keep running and listen on its port."
    ),
    Code.OUT_OF_MEMORY: gettext_lazy("The container exceeded its memory limit and was killed. Raise the memory limit."),
    Code.LIVENESS: gettext_lazy(
        "Kubernetes keeps restarting the container: its liveness probe fails. Check the probe's port, path and delay."
    ),
    Code.PROBE: gettext_lazy(
        "The container runs but does not become ready. Check the port it listens on and its readiness probe."
    ),
    Code.CANNOT_START: gettext_lazy("The container cannot be started. Check its command, arguments and user."),
    Code.DEADLINE: gettext_lazy(
        "The revision was not ready within Knative's progress deadline. The events may show what it was waiting for."
    ),
    Code.QUOTA: gettext_lazy(
        "The namespace's quota %(quota)s is exceeded. Raise the quota, or lower the service's resource requests."
    ),
    Code.UNSCHEDULABLE: gettext_lazy("No node can fit the pod. Lower its resource requests, or add nodes."),
    Code.EVICTED: gettext_lazy(
        "The pod was evicted: its node ran low on a resource. Raise its requests, or add nodes."
    ),
    Code.VOLUME: gettext_lazy("A volume cannot be mounted. Check what the volume mounts refer to."),
    Code.SECRET_MISSING: gettext_lazy(
        "A Secret, or a key of it, that the service refers to does not exist (%(name)s). "
        "Create it, or change the reference."
    ),
    Code.CONFIG_MAP_MISSING: gettext_lazy(
        "A ConfigMap, or a key of it, that the service refers to does not exist (%(name)s). "
        "Create it, or change the reference."
    ),
    Code.REVISION_MISSING: gettext_lazy(
        "The traffic split refers to %(revision)s, which does not exist. Change the split."
    ),
    Code.REVISION_NOT_OWNED: gettext_lazy(
        "The traffic split refers to %(revision)s, which is not a revision of this service. Change the split."
    ),
    Code.INGRESS: gettext_lazy("The ingress does not accept the routes. Check the cluster's networking layer."),
    Code.REFUSED: gettext_lazy("Knative's validation rejected it."),
    Code.POLICY: gettext_lazy(
        "A policy in this cluster rejected it (%(name)s). Ask the policy's owner, or change what it objects to."
    ),
    Code.CONFLICT: gettext_lazy("%(who)s changed the same fields after you saw the preview."),
    Code.SUPERSEDED: gettext_lazy("The newer change is by %(who)s."),
    Code.SUPERSEDED_WHEN_READY: gettext_lazy("This change was ready before the newer change by %(who)s superseded it."),
    Code.NOT_READY: gettext_lazy("The change is in effect. The service is not ready for another reason:"),
    Code.DELETED_MEANWHILE: gettext_lazy("The service was deleted in the meantime."),
    Code.RECREATED_MEANWHILE: gettext_lazy(
        "The service was deleted and another one with the same name was created in the meantime."
    ),
    Code.EXISTS_ALREADY: gettext_lazy("A service with this name already exists."),
    Code.NOT_SERVING: gettext_lazy(
        "Traffic is pinned to other revisions. Send some to the new one when you are ready."
    ),
    Code.HELD_BACK: gettext_lazy("Traffic stays where it was. Send some to the new revision when you are ready."),
    Code.NOT_ALLOWED: gettext_lazy("The permission “%(permission)s” was revoked before the change was written."),
    Code.LABEL_DECIDES: gettext_lazy(
        "The label “%(labels)s” now controls access to this service or which rules protect it. The author "
        "lacks %(permissions)s, which are required to set or remove it."
    ),
    Code.UNAUTHORIZED: gettext_lazy("The cluster no longer accepts the console's credentials."),
    Code.FORBIDDEN: gettext_lazy("The cluster's own access rules do not allow it."),
    Code.CLUSTER_AWAY: gettext_lazy("The cluster did not respond before the timeout."),
    Code.CLUSTER_FAILING: gettext_lazy("The cluster's API server kept returning errors until the timeout."),
    Code.CLUSTER_BUSY: gettext_lazy("The cluster's API server was overloaded until the timeout."),
    Code.CLUSTER_UNKNOWN: gettext_lazy("This cluster is no longer configured."),
    Code.DATABASE_AWAY: gettext_lazy("The console's database did not respond before the timeout."),
    Code.UNDECRYPTABLE: gettext_lazy(
        "What was typed for this change is encrypted with a key that the console no longer has. Check the service, and "
        "make the change again."
    ),
    Code.NOT_FOUND: gettext_lazy(
        "The cluster lacks something the change needs: an object or its namespace is missing."
    ),
    Code.CLUSTER: gettext_lazy("The cluster returned an error."),
    Code.STILL_DELETING: gettext_lazy(
        "The deletion was accepted, but a finalizer still blocks it. Check the object's finalizers."
    ),
    Code.WRITTEN_LATE: gettext_lazy(
        "A request sent earlier reached the cluster after the operation had ended. Check the service."
    ),
    Code.NEVER_WRITTEN: gettext_lazy("It could not be written before the timeout, and will not be written later."),
    Code.INTERNAL: gettext_lazy(
        "Internal error in the console; see the worker's log. Check the service before you retry."
    ),
    Code.UNKNOWN: gettext_lazy("Knative reported no known reason. Its raw message is below."),
    Code.DECLINED: gettext_lazy("%(who)s: %(comment)s"),
    Code.WITHDRAWN: gettext_lazy("Its author withdrew it."),
    Code.EXPIRED: gettext_lazy("Submit the change again to request a new approval."),
    Code.FROZEN: gettext_lazy("A freeze began before it was written. It lasts until %(until)s. %(note)s"),
    Code.LOCKED: gettext_lazy(
        "A rule refuses the change: %(tool)s owns the service and would undo it. Make the change there. %(note)s"
    ),
    Code.PROTECTED_MEANWHILE: gettext_lazy(
        "The service became protected before it was written. Submit the change again to request an approval."
    ),
    Code.REASON_MISSING: gettext_lazy("The rules now require a reason. Submit the change again with a reason."),
    Code.NOT_AS_APPROVED: gettext_lazy(
        "The change differs from what was approved. Notify an administrator, and submit it again."
    ),
    Code.APPROVER_GONE: gettext_lazy("%(who)s approved it, but can no longer approve changes to this service."),
}
