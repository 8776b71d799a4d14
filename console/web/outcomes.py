"""What became of an operation, why, and what a cluster answered: codes and facts in words for people.

A sentence says no more than was read: that something still serves is only said where the mirror shows it.
"""

from collections.abc import Mapping
from typing import Any

import redis
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.mirror.read import MirrorIncomplete
from console.operations.external import late_writes
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.operations.queries import ServesNow, Serving
from console.operations.submitting.previewing import Untested
from console.web import words

_NOT_WRITTEN = (Status.CANCELLED, Status.CONFLICTED, Status.REFUSED, Status.DECLINED, Status.EXPIRED, Status.STOPPED)
_DELETIONS = ("DeleteService", "DeleteRevision")


def outcome(operation: Operation, now: ServesNow) -> str:
    """Return what became of an operation, and what that means at this moment where `now` knows it."""
    status = Status(operation.status)
    if operation.cause.get("code") == late_writes.CODE:
        return _("%(ended)s, but the change was written afterwards.") % {"ended": status.label}
    sentences = [_END[status] % {"revision": operation.revision} if status in _END else _end(operation, now)]
    if status in (Status.FAILED, Status.TIMED_OUT):
        sentences.append(_what_serves(operation, now))
    if status not in _NOT_WRITTEN and not operation.is_open and operation.kind != "DeleteService":
        sentences.append(_since(operation, now))
    return " ".join(filter(None, sentences))


_END = {
    Status.WAITING: gettext_lazy("Waiting for a second person's approval. Nothing is written before that."),
    Status.QUEUED: gettext_lazy("Queued. Nothing has been written yet."),
    Status.RUNNING: gettext_lazy("Writing the change to the cluster."),
    Status.FOLLOWING: gettext_lazy("The cluster accepted the change and is rolling it out."),
    Status.NOT_SERVING: gettext_lazy("Deployed, but the new revision %(revision)s gets 0%% of the traffic."),
    Status.UNCHANGED: gettext_lazy("Nothing changed: the service was already like that."),
    Status.SUPERSEDED: gettext_lazy("Superseded by a newer change to this service."),
    Status.CANCELLED: gettext_lazy("Cancelled before anything was written."),
    Status.CONFLICTED: gettext_lazy("Stopped: someone else changed the same fields. Nothing was written."),
    Status.DECLINED: gettext_lazy("Declined. Nothing was written."),
    Status.EXPIRED: gettext_lazy("Not approved in time. Nothing was written."),
    Status.STOPPED: gettext_lazy("Blocked by the service's protection. Nothing was written."),
}


def _end(operation: Operation, now: ServesNow) -> str:
    """The sentences that depend on what kind of change it was and how far it came."""
    if operation.status == Status.SUCCEEDED:
        return _success(operation, now)
    if operation.status == Status.TIMED_OUT:
        return (
            _("Not ready within the timeout. Knative may still be trying.") if operation.is_written else _("Timed out.")
        )
    if operation.status == Status.REFUSED:
        by_cluster = operation.cause.get("code") in BY_CLUSTER
        return (
            _("The cluster rejected the change. Nothing was written.")
            if by_cluster
            else _("Rejected. Nothing was written.")
        )
    return _("Deployment failed.") if operation.makes_revision else _("The change failed.")


def _success(operation: Operation, now: ServesNow) -> str:
    if operation.kind in _DELETIONS:
        return _("Deleted.")
    if not operation.makes_revision:
        return _("Done. The change was applied.")
    return _("Deployed and serving.") if operation.revision in now.revisions else _("Deployed.")


def _what_serves(operation: Operation, now: ServesNow) -> str:
    """Which revision serves after a failure, as far as it is known."""
    if not operation.is_written:
        return "" if operation.base_version else _("Nothing was written.")
    if now.serving is Serving.PREVIOUS:
        count = len(now.revisions)
        return ngettext("The previous revision is still serving.", "The previous revisions are still serving.", count)
    if now.serving is Serving.OTHERS:
        return _("Currently serving: %(revisions)s.") % {"revisions": ", ".join(now.revisions)}
    return _("No revision is serving.") if now.serving is Serving.NOTHING else ""


def _since(operation: Operation, now: ServesNow) -> str:
    """What happened to the service itself after the operation; not repeated where it is the cause."""
    if operation.cause.get("code") in ("deleted-meanwhile", "recreated-meanwhile"):
        return ""
    if now.serving is Serving.DELETED:
        return _("The service has been deleted since.")
    return _("The service has been deleted and created again since.") if now.serving is Serving.RECREATED else ""


def cause(facts: Mapping[str, Any]) -> str:
    """Return the cause of an end in plain words, with what to do. Problems of an input have their form's words."""
    code, found = str(facts.get("code", "")), dict(facts.get("facts") or {})
    text = CAUSES.get(f"{code}-exit" if "exit_code" in found else code, CAUSES.get(code))
    if text is None:
        return words.problem_of(code, found)
    defaults = {"name": "?", "quota": "?", "revision": "?", "who": "?", "permission": "?"}
    defaults |= {"comment": "", "until": "?", "note": "", "labels": "?", "permissions": "?"}
    return str(text) % {**defaults, **found}


def cause_short(code: str) -> str:
    """Return the cause in two or three words, for a row of a list; empty where it is not known."""
    return str(_SHORT.get(code, ""))


_SHORT = {
    "image-missing": gettext_lazy("image cannot be pulled"),
    "crash": gettext_lazy("container keeps crashing"),
    "exits": gettext_lazy("container exits"),
    "out-of-memory": gettext_lazy("out of memory"),
    "liveness": gettext_lazy("liveness probe fails"),
    "probe": gettext_lazy("not ready in time"),
    "cannot-start": gettext_lazy("container cannot start"),
    "deadline": gettext_lazy("not ready in time"),
    "quota": gettext_lazy("quota exceeded"),
    "unschedulable": gettext_lazy("no node fits"),
    "evicted": gettext_lazy("pod evicted"),
    "volume": gettext_lazy("volume cannot be mounted"),
    "secret-missing": gettext_lazy("Secret missing"),
    "config-map-missing": gettext_lazy("ConfigMap missing"),
    "revision-missing": gettext_lazy("revision missing"),
    "ingress": gettext_lazy("ingress not ready"),
}
BY_CLUSTER = ("refused", "policy", "quota")
CAUSES = {
    "image-missing": gettext_lazy(
        "The image cannot be pulled. Check its name and tag, and that the cluster can pull from the registry."
    ),
    "crash": gettext_lazy("The container keeps crashing. Its last log lines usually show why."),
    "crash-exit": gettext_lazy(
        "The container keeps crashing (exit code %(exit_code)s). Its last log lines usually show why."
    ),
    "exits": gettext_lazy(
        "The container exits without an error (exit code 0). A service must keep running and listen on its port."
    ),
    "out-of-memory": gettext_lazy("The container exceeded its memory limit and was killed. Raise the memory limit."),
    "liveness": gettext_lazy(
        "Kubernetes keeps restarting the container: its liveness probe fails. Check the probe's port, path and delay."
    ),
    "probe": gettext_lazy(
        "The container runs but does not become ready. Check the port it listens on and its readiness probe."
    ),
    "cannot-start": gettext_lazy("The container cannot be started. Check its command, arguments and user."),
    "deadline": gettext_lazy(
        "The revision was not ready within Knative's progress deadline. The events may show what it was waiting for."
    ),
    "quota": gettext_lazy(
        "The namespace's quota %(quota)s is exceeded. Raise the quota, or lower the service's resource requests."
    ),
    "unschedulable": gettext_lazy("No node can fit the pod. Lower its resource requests, or add nodes."),
    "evicted": gettext_lazy("The pod was evicted: its node ran low on a resource. Raise its requests, or add nodes."),
    "volume": gettext_lazy("A volume cannot be mounted. Check what the volume mounts refer to."),
    "secret-missing": gettext_lazy(
        "A Secret, or a key of it, that the service refers to does not exist (%(name)s). "
        "Create it, or change the reference."
    ),
    "config-map-missing": gettext_lazy(
        "A ConfigMap, or a key of it, that the service refers to does not exist (%(name)s). "
        "Create it, or change the reference."
    ),
    "revision-missing": gettext_lazy(
        "The traffic split refers to %(revision)s, which does not exist. Change the split."
    ),
    "ingress": gettext_lazy("The ingress does not accept the routes. Check the cluster's networking layer."),
    "refused": gettext_lazy("Knative's validation rejected it."),
    "policy": gettext_lazy(
        "A policy in this cluster rejected it (%(name)s). Ask the policy's owner, or change what it objects to."
    ),
    "conflict": gettext_lazy("%(who)s changed the same fields after you saw the preview."),
    "superseded": gettext_lazy("The newer change is by %(who)s."),
    "superseded-when-ready": gettext_lazy("This change was ready before the newer change by %(who)s superseded it."),
    "not-ready": gettext_lazy("The change is in effect. The service is not ready for another reason:"),
    "deleted-meanwhile": gettext_lazy("The service was deleted in the meantime."),
    "recreated-meanwhile": gettext_lazy(
        "The service was deleted and another one with the same name was created in the meantime."
    ),
    "exists-already": gettext_lazy("A service with this name already exists."),
    "not-serving": gettext_lazy("Traffic is pinned to other revisions. Send some to the new one when you are ready."),
    "not-allowed": gettext_lazy("The permission “%(permission)s” was revoked before the change was written."),
    "label-decides": gettext_lazy(
        "The label “%(labels)s” now controls access to this service or which rules protect it. The author "
        "lacks %(permissions)s, which are required to set or remove it."
    ),
    "unauthorized": gettext_lazy("The cluster no longer accepts the console's credentials."),
    "forbidden": gettext_lazy("The cluster's own access rules do not allow it."),
    "cluster-away": gettext_lazy("The cluster did not respond before the timeout."),
    "cluster-failing": gettext_lazy("The cluster's API server kept returning errors until the timeout."),
    "cluster-busy": gettext_lazy("The cluster's API server was overloaded until the timeout."),
    "cluster-unknown": gettext_lazy("This cluster is no longer configured."),
    "database-away": gettext_lazy("The console's database did not respond before the timeout."),
    "not-found": gettext_lazy("The cluster lacks something the change needs: an object or its namespace is missing."),
    "cluster": gettext_lazy("The cluster returned an error."),
    "still-deleting": gettext_lazy(
        "The deletion was accepted, but a finalizer still blocks it. Check the object's finalizers."
    ),
    "written-late": gettext_lazy(
        "A request sent earlier reached the cluster after the operation had ended. Check the service."
    ),
    "never-written": gettext_lazy("It could not be written before the timeout, and will not be written later."),
    "internal": gettext_lazy(
        "Internal error in the console; see the worker's log. Check the service before you retry."
    ),
    "unknown": gettext_lazy("Knative reported no known reason. Its raw message is below."),
    "declined": gettext_lazy("%(who)s: %(comment)s"),
    "withdrawn": gettext_lazy("Its author withdrew it."),
    "expired": gettext_lazy("Submit the change again to request a new approval."),
    "frozen": gettext_lazy("A freeze began before it was written. It lasts until %(until)s. %(note)s"),
    "protected-meanwhile": gettext_lazy(
        "The service became protected before it was written. Submit the change again to request an approval."
    ),
    "reason-missing": gettext_lazy("The rules now require a reason. Submit the change again with a reason."),
    "not-as-approved": gettext_lazy(
        "The change differs from what was approved. Notify an administrator, and submit it again."
    ),
    "approver-gone": gettext_lazy("%(who)s approved it, but can no longer approve changes to this service."),
}
UNTESTED = {
    Untested.NO_DRY_RUN: gettext_lazy(
        "No dry run: a webhook in this cluster does not support it. This is what the console will send; the "
        "cluster may modify or reject it."
    ),
    Untested.NO_ANSWER: gettext_lazy(
        "No dry run: the cluster did not respond in time. This is what the console will send; the cluster "
        "may modify or reject it."
    ),
}
NOTICES = {
    "write-uncertain": gettext_lazy(
        "The API server did not respond to the write, which may have succeeded. Checking before sending it again."
    ),
    "written-late": gettext_lazy(
        "The change was written after the operation had ended: a request sent earlier arrived late."
    ),
    "still-deleting": gettext_lazy("Deletion accepted. Waiting for a finalizer."),
    "cluster-away": gettext_lazy("The API server is not responding. Retrying."),
    "cluster-failing": gettext_lazy("The API server returned an error. Retrying."),
    "database-away": gettext_lazy("The console's database is not responding. Retrying."),
    "throttled": gettext_lazy("The API server is overloaded. Retrying."),
    "refused-for-now": gettext_lazy("The cluster is rejecting the console's credentials. Retrying briefly."),
    "queued-behind": gettext_lazy("Waiting for an earlier change to this service to be written."),
    "merged": gettext_lazy("%(who)s changed other fields after the preview. These keep their current values:"),
}


def notice(code: str, facts: Mapping[str, Any]) -> str:
    """Return why nothing moves, or what else happened, for a line of a timeline."""
    template = NOTICES.get(code)
    return str(template) % {"who": "?", **facts} if template else code


def answer_error(error: Exception) -> tuple[str, str]:
    """Return (plain words, raw message) for what a cluster, the mirror or the database answered, by its class."""
    if isinstance(error, MirrorIncomplete):
        sentence = _(
            "The console has not finished reading %(cluster)s, so this is not known yet. Try again in a moment."
        )
        return sentence % {"cluster": error}, ""
    if isinstance(error, DatabaseError):
        return str(_ANSWERS["SourceUnavailable"]), ""
    if isinstance(error, redis.RedisError):
        return str(_ANSWERS["MirrorUnavailable"]), ""
    name = next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _ANSWERS), "ClusterError")
    raw = str(getattr(error, "message", "") or error)  # of a refusal: without the webhook's introduction
    if policy := getattr(error, "policy", ""):
        return str(CAUSES["policy"]) % {"name": policy}, raw
    if quota := getattr(error, "quota", ""):
        return str(CAUSES["quota"]) % {"quota": quota}, raw
    return str(_ANSWERS[name]), raw


_ANSWERS = {
    "ClusterError": gettext_lazy("The cluster returned an error."),
    "NotFound": gettext_lazy("The object was not found in the cluster."),
    "Conflict": gettext_lazy("The object was changed in the meantime. Reload the page."),
    "AlreadyExists": gettext_lazy("An object with this name already exists."),
    "Refused": gettext_lazy("The cluster rejected this. Nothing was written."),
    "Forbidden": gettext_lazy("The cluster's own access rules do not allow this."),
    "Unauthorized": gettext_lazy("The cluster rejects the console's credentials."),
    "Expired": gettext_lazy("The cluster no longer has the requested state. Try again."),
    "Throttled": gettext_lazy("The API server is overloaded. Try again in a moment."),
    "ServerFailed": gettext_lazy("The cluster's API server returned an error. Try again in a moment."),
    "Unreachable": gettext_lazy("The cluster is not responding. You are seeing cached data; changes must wait."),
    "Uncertain": gettext_lazy(
        "The connection was lost before the cluster responded. Check the service before you retry."
    ),
    "MirrorUnavailable": gettext_lazy("The console's data store (Redis) is not responding. Try again in a moment."),
    "UnknownCluster": gettext_lazy("This cluster is no longer configured."),
    "SourceUnavailable": gettext_lazy(
        "The console's database is not responding. Nothing was saved. Try again in a moment."
    ),
}
