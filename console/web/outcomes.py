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
    Status.NOT_SERVING: gettext_lazy("Deployed, but the new revision %(revision)s got 0%% of the traffic."),
    Status.UNCHANGED: gettext_lazy("Nothing changed: the service was already like that."),
    Status.SUPERSEDED: gettext_lazy("A newer change of this service took over."),
    Status.CANCELLED: gettext_lazy("Cancelled before anything was written."),
    Status.CONFLICTED: gettext_lazy("Stopped: somebody else changed the same fields. Nothing was written."),
    Status.DECLINED: gettext_lazy("Not approved. Nothing was written."),
    Status.EXPIRED: gettext_lazy("Nobody approved it in time. Nothing was written."),
    Status.STOPPED: gettext_lazy("Stopped by the service's protection. Nothing was written."),
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
            _("The cluster refused the change. Nothing was written.")
            if by_cluster
            else _("Refused. Nothing was written.")
        )
    return _("Deployment failed.") if operation.makes_revision else _("The change failed.")


def _success(operation: Operation, now: ServesNow) -> str:
    if operation.kind in _DELETIONS:
        return _("Deleted.")
    if not operation.makes_revision:
        return _("Done. The change was applied.")
    return _("Deployed and serving.") if operation.revision in now.revisions else _("Deployed.")


def _what_serves(operation: Operation, now: ServesNow) -> str:
    """Who answers requests after a failure, as far as it is known."""
    if not operation.is_written:
        return "" if operation.base_version else _("Nothing was written.")
    if now.serving is Serving.PREVIOUS:
        count = len(now.revisions)
        return ngettext("The previous revision is still serving.", "The previous revisions are still serving.", count)
    if now.serving is Serving.OTHERS:
        return _("Serving now: %(revisions)s.") % {"revisions": ", ".join(now.revisions)}
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
    "quota": gettext_lazy("quota used up"),
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
        "The image cannot be pulled. Check its name and tag, and that the cluster may pull from the registry."
    ),
    "crash": gettext_lazy("The container keeps crashing. Its last log lines usually tell why."),
    "crash-exit": gettext_lazy(
        "The container keeps crashing (exit code %(exit_code)s). Its last log lines usually tell why."
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
        "The revision was not ready within Knative's progress deadline. The events may tell what it waited for."
    ),
    "quota": gettext_lazy(
        "The namespace's quota %(quota)s is used up. Raise the quota, or lower what the service requests."
    ),
    "unschedulable": gettext_lazy("No node can take the pod. Lower its resource requests, or add nodes."),
    "evicted": gettext_lazy("The pod was evicted: its node ran short of a resource. Raise its requests, or add nodes."),
    "volume": gettext_lazy("A volume cannot be mounted. Check what the volume mounts refer to."),
    "secret-missing": gettext_lazy(
        "A Secret, or a key of it, that the service refers to does not exist (%(name)s). "
        "Create it, or change the reference."
    ),
    "config-map-missing": gettext_lazy(
        "A ConfigMap, or a key of it, that the service refers to does not exist (%(name)s). "
        "Create it, or change the reference."
    ),
    "revision-missing": gettext_lazy("The traffic split names %(revision)s, which does not exist. Change the split."),
    "ingress": gettext_lazy("The ingress does not accept the routes. The cluster's networking layer tells why."),
    "refused": gettext_lazy("Knative's validation refused it."),
    "policy": gettext_lazy(
        "A policy of this cluster refused it (%(name)s). Ask its owner, or change what it objects to."
    ),
    "conflict": gettext_lazy("%(who)s changed the same fields after you had seen the preview."),
    "superseded": gettext_lazy("The newer change is by %(who)s."),
    "superseded-when-ready": gettext_lazy("This change was ready. Then came the newer change, by %(who)s."),
    "not-ready": gettext_lazy("The change is in effect. The service is not ready for another reason:"),
    "deleted-meanwhile": gettext_lazy("The service was deleted in the meantime."),
    "recreated-meanwhile": gettext_lazy(
        "The service was deleted and another one with the same name was created in the meantime."
    ),
    "exists-already": gettext_lazy("A service with this name already exists."),
    "not-serving": gettext_lazy("Traffic is pinned to other revisions. Send some to the new one when you are ready."),
    "not-allowed": gettext_lazy("The permission “%(permission)s” was taken away between submitting and writing."),
    "label-decides": gettext_lazy(
        "The label “%(labels)s” decides by now who may do what with this service, or which rules protect it. "
        "Its author lacks %(permissions)s to set or remove it."
    ),
    "unauthorized": gettext_lazy("The cluster no longer accepts the console's credentials."),
    "forbidden": gettext_lazy("The cluster's own access rules do not allow it."),
    "cluster-away": gettext_lazy("The cluster did not answer before the timeout."),
    "cluster-failing": gettext_lazy("The cluster's API server kept answering with an error until the timeout."),
    "cluster-busy": gettext_lazy("The cluster's API server was overloaded until the timeout."),
    "cluster-unknown": gettext_lazy("This cluster is not configured any more."),
    "database-away": gettext_lazy("The console's database did not answer before the timeout."),
    "not-found": gettext_lazy(
        "The cluster does not have what the change needs: an object or its namespace is missing."
    ),
    "cluster": gettext_lazy("The cluster answered with an error."),
    "still-deleting": gettext_lazy(
        "The deletion was accepted, but something in the cluster still holds the object: see its finalizers."
    ),
    "written-late": gettext_lazy(
        "A request that had been sent before arrived after the operation had ended. Look at the service."
    ),
    "never-written": gettext_lazy("It could not be written before the timeout, and will not be written any more."),
    "internal": gettext_lazy(
        "The console itself failed; the worker's log tells why. Look at the service before trying again."
    ),
    "unknown": gettext_lazy("Knative tells no known reason. Its raw message is below."),
    "declined": gettext_lazy("%(who)s: %(comment)s"),
    "withdrawn": gettext_lazy("Its author withdrew it."),
    "expired": gettext_lazy("Submit the change again to request a new approval."),
    "frozen": gettext_lazy("A freeze began before it was written. It lasts until %(until)s. %(note)s"),
    "protected-meanwhile": gettext_lazy(
        "The service became protected before it was written. Submit the change again to request an approval."
    ),
    "reason-missing": gettext_lazy("The rules now ask for a reason. Submit the change again and say why."),
    "not-as-approved": gettext_lazy("It is not what was approved. Tell an administrator, and submit it again."),
    "approver-gone": gettext_lazy("%(who)s, who approved it, may not approve changes of this service any more."),
}
UNTESTED = {
    Untested.NO_DRY_RUN: gettext_lazy(
        "Not tested: a webhook of this cluster does not allow a dry run. Shown is what the console will send; the "
        "cluster may add to it, or refuse it."
    ),
    Untested.NO_ANSWER: gettext_lazy(
        "Not tested: the cluster did not answer the dry run in time. Shown is what the console will send; the cluster "
        "may add to it, or refuse it."
    ),
}
NOTICES = {
    "write-uncertain": gettext_lazy(
        "The API server did not answer the write. It may have happened; looking before it is sent again."
    ),
    "written-late": gettext_lazy(
        "The change was written after the operation had ended: a request that had been sent before arrived late."
    ),
    "still-deleting": gettext_lazy("The deletion is accepted. A finalizer still holds the object; waiting."),
    "cluster-away": gettext_lazy("The API server does not answer; trying again."),
    "cluster-failing": gettext_lazy("The API server answers with an error; trying again."),
    "database-away": gettext_lazy("The console's database does not answer; trying again."),
    "throttled": gettext_lazy("The API server asks to wait; trying again."),
    "refused-for-now": gettext_lazy("The cluster is rejecting the console's credentials. Retrying briefly."),
    "queued-behind": gettext_lazy("Waiting for an earlier change of this service to be written."),
    "merged": gettext_lazy("%(who)s changed other fields after the preview; they stay as they are now:"),
}


def notice(code: str, facts: Mapping[str, Any]) -> str:
    """Return why nothing moves, or what else happened, for a line of a timeline."""
    template = NOTICES.get(code)
    return str(template) % {"who": "?", **facts} if template else code


def answer_error(error: Exception) -> tuple[str, str]:
    """Return (plain words, raw message) for what a cluster, the mirror or the database answered, by its class."""
    if isinstance(error, MirrorIncomplete):
        sentence = _("%(cluster)s has not been read completely yet, so this cannot be told. Try again in a moment.")
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
    "ClusterError": gettext_lazy("The cluster answered with an error."),
    "NotFound": gettext_lazy("The cluster has no such object (any more)."),
    "Conflict": gettext_lazy("The object was changed in the meantime; load the page again."),
    "AlreadyExists": gettext_lazy("An object with this name already exists."),
    "Refused": gettext_lazy("The cluster refuses this. Nothing was written."),
    "Forbidden": gettext_lazy("The cluster's own access rules do not allow this."),
    "Unauthorized": gettext_lazy("The cluster does not accept the console's credentials."),
    "Expired": gettext_lazy("The cluster no longer has the state that was asked for. Try again."),
    "Throttled": gettext_lazy("The API server is overloaded and asks to wait. Try again in a moment."),
    "ServerFailed": gettext_lazy("The cluster's API server answers with an error. Try again in a moment."),
    "Unreachable": gettext_lazy(
        "The cluster does not answer. What you see comes from the console's copy; changes must wait."
    ),
    "Uncertain": gettext_lazy(
        "The connection broke before the cluster answered. Look at the service before trying again."
    ),
    "MirrorUnavailable": gettext_lazy("The console's own store (Redis) does not answer. Try again in a moment."),
    "UnknownCluster": gettext_lazy("This cluster is not configured any more."),
    "SourceUnavailable": gettext_lazy(
        "The console's database does not answer. Nothing was saved; try again in a moment."
    ),
}
