"""What became of an operation, and what a cluster answered, in words for people. Why: console.web.causes.

A sentence says no more than was read: that something still serves is only said where the mirror shows it.
"""

from collections.abc import Mapping
from typing import Any

import redis
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.knative.causes import Cause, Code, Named, Quota
from console.mirror.read import MirrorIncomplete
from console.operations.models import Operation
from console.operations.models.statuses import Notice, Status
from console.operations.queries import ServesNow, Serving
from console.operations.submitting.previewing import Proposal, Untested
from console.web import author_words, causes

_NOT_WRITTEN = (Status.CANCELLED, Status.CONFLICTED, Status.REFUSED, Status.DECLINED, Status.EXPIRED, Status.STOPPED)
_BY_CLUSTER = (Code.REFUSED, Code.POLICY, Code.QUOTA)
_GONE = (Code.DELETED_MEANWHILE, Code.RECREATED_MEANWHILE)


def outcome(operation: Operation, now: ServesNow) -> str:
    """Return what became of an operation, and what that means at this moment where `now` knows it."""
    status = Status(operation.status)
    if _code(operation) is Code.WRITTEN_LATE:
        return _("%(ended)s, but the change was written afterwards.") % {"ended": status.label}
    sentences = [_END[status] % {"revision": operation.revision} if status in _END else _end(operation, now)]
    if status in (Status.FAILED, Status.TIMED_OUT):
        sentences.append(_what_serves(operation, now))
    if status not in _NOT_WRITTEN and not operation.is_open and not operation.deletes_service:
        sentences.append(_since(operation, now))
    return " ".join(filter(None, sentences))


_END = {
    Status.WAITING: gettext_lazy("Waiting for a second person's approval. Nothing is written before that."),
    Status.QUEUED: gettext_lazy("Queued. Nothing has been written yet."),
    Status.RUNNING: gettext_lazy("Writing the change to the cluster."),
    Status.FOLLOWING: gettext_lazy("The cluster accepted the change and is rolling it out."),
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
    if operation.status == Status.NOT_SERVING:
        return _without_traffic(operation)
    if operation.status == Status.TIMED_OUT:
        return (
            _("Not ready within the timeout. Knative may still be trying.") if operation.is_written else _("Timed out.")
        )
    if operation.status == Status.REFUSED:
        by_cluster = _code(operation) in _BY_CLUSTER
        return (
            _("The cluster rejected the change. Nothing was written.")
            if by_cluster
            else _("Rejected. Nothing was written.")
        )
    return _("Deployment failed.") if operation.makes_revision else _("The change failed.")


def _code(operation: Operation) -> Code | None:
    return operation.why.code if operation.why else None


def _success(operation: Operation, now: ServesNow) -> str:
    if operation.verb.removes:
        return _("Deleted.")
    if not operation.makes_revision:
        return _("Done. The change was applied.")
    return _("Deployed and serving.") if operation.revision in now.revisions else _("Deployed.")


def _without_traffic(operation: Operation) -> str:
    told = (
        _("Deployed without traffic, as requested. The new revision is %(revision)s.")
        if operation.is_held_back
        else _("Deployed, but the new revision %(revision)s gets 0%% of the traffic.")
    )
    return told % {"revision": operation.revision}


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
    if _code(operation) in _GONE:
        return ""
    if now.serving is Serving.DELETED:
        return _("The service has been deleted since.")
    return _("The service has been deleted and created again since.") if now.serving is Serving.RECREATED else ""


UNTESTED = {
    Untested.NO_DRY_RUN: gettext_lazy(
        "No dry run: a webhook in this cluster does not support it. This is what the console will send; the "
        "cluster may modify or reject it."
    ),
    Untested.NO_ANSWER: gettext_lazy(
        "No dry run: the cluster did not respond in time. This is what the console will send; the cluster "
        "may modify or reject it."
    ),
    Untested.PODS: gettext_lazy("The server-side dry run got no further than the pods."),
}
NOTICES: dict[str, object] = {
    Notice.WRITE_UNCERTAIN: gettext_lazy(
        "The API server did not respond to the write, which may have succeeded. Checking before sending it again."
    ),
    Notice.WRITTEN_LATE: gettext_lazy(
        "The change was written after the operation had ended: a request sent earlier arrived late."
    ),
    Notice.STILL_DELETING: gettext_lazy("Deletion accepted. Waiting for a finalizer."),
    Notice.CLUSTER_AWAY: gettext_lazy("The API server is not responding. Retrying."),
    Notice.CLUSTER_FAILING: gettext_lazy("The API server returned an error. Retrying."),
    Notice.DATABASE_AWAY: gettext_lazy("The console's database is not responding. Retrying."),
    Notice.THROTTLED: gettext_lazy("The API server is overloaded. Retrying."),
    Notice.REFUSED_FOR_NOW: gettext_lazy("The cluster is denying the request. Retrying briefly."),
    Notice.QUEUED_BEHIND: gettext_lazy("Waiting for an earlier change to this service to be written."),
    Notice.UNDECRYPTABLE: gettext_lazy(
        "The worker has no key that decrypts this change. Retrying, in case another worker has it."
    ),
    Notice.MERGED: gettext_lazy("%(who)s changed other fields after the preview. These keep their current values:"),
}


def notice(code: str, facts: Mapping[str, Any]) -> str:
    """Return why nothing moves, or what else happened, for a line of a timeline."""
    template, who = NOTICES.get(code), facts.get("who", "?")
    if code == Notice.MERGED and who != "?" and not facts.get("operation"):
        who = author_words.identity(who)
    return str(template) % {**facts, "who": who} if template else code


def pods_refused(proposal: Proposal) -> tuple[str, str] | None:
    """Return (plain words, raw message) for a pod that the cluster would not start now, and what that means here."""
    if proposal.pods is None:
        return None
    cause = causes.text(Cause(Code.QUOTA, facts=Quota(proposal.pods.quota))) if proposal.pods.quota else ""
    if proposal.makes_revision:
        words = _(
            "The cluster would reject the pods of the new revision now. It can be deployed, but it will not be able to "
            "start pods until this is resolved."
        )
    else:
        words = _(
            "The cluster would reject new pods of this service now. This change makes no new revision, so it can be "
            "applied; a revision that has to start pods might get none."
        )
    return f"{words} {cause}".strip(), proposal.pods.raw


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
        return causes.text(Cause(Code.POLICY, facts=Named(policy))), raw
    if quota := getattr(error, "quota", ""):
        return causes.text(Cause(Code.QUOTA, facts=Quota(quota))), raw
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
    "InvalidToken": gettext_lazy(
        "Something that the console stored for this is encrypted with a key that it no longer has. An operator can add "
        "the previous key (CONSOLE_ENCRYPTION_KEYS)."
    ),
    "UnknownCluster": gettext_lazy("This cluster is no longer configured."),
    "SourceUnavailable": gettext_lazy(
        "The console's database is not responding. Nothing was saved. Try again in a moment."
    ),
}
