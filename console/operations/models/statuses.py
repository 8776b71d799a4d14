"""The status of an operation. Terminal states are final; the database prevents leaving them."""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    WAITING = "waiting", _("Waiting for approval")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Writing")
    FOLLOWING = "following", _("In progress")
    SUCCEEDED = "succeeded", _("Succeeded")
    NOT_SERVING = "succeeded-not-serving", _("Succeeded, no traffic")
    UNCHANGED = "unchanged", _("Nothing changed")
    FAILED = "failed", _("Failed")
    TIMED_OUT = "timed-out", _("Timed out")
    SUPERSEDED = "superseded", _("Superseded")
    CANCELLED = "cancelled", _("Cancelled")
    CONFLICTED = "conflicted", _("Stopped by a conflict")
    REFUSED = "refused", _("Rejected by the cluster")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired without approval")
    STOPPED = "stopped", _("Blocked by protection")


class Notice(StrEnum):
    """Why nothing moves, or what else happened: the text of a timeline's line of the level `notice`, as stored.

    Words for each are in console.web.outcomes.
    """

    WRITE_UNCERTAIN = "write-uncertain"
    WRITTEN_LATE = "written-late"
    STILL_DELETING = "still-deleting"
    CLUSTER_AWAY = "cluster-away"
    CLUSTER_FAILING = "cluster-failing"
    DATABASE_AWAY = "database-away"
    THROTTLED = "throttled"
    REFUSED_FOR_NOW = "refused-for-now"
    QUEUED_BEHIND = "queued-behind"
    MERGED = "merged"
    UNDECRYPTABLE = "undecryptable"


ACTIVE = (Status.QUEUED, Status.RUNNING, Status.FOLLOWING)  # what workers may take
OPEN = (Status.WAITING, *ACTIVE)
TERMINAL = tuple(status for status in Status if status not in OPEN)
SUCCESSFUL = (Status.SUCCEEDED, Status.NOT_SERVING, Status.UNCHANGED)
# Ended by people or by the rules that they made, not by a failure; console.audit.summary has the same.
BY_PEOPLE = (Status.CANCELLED, Status.SUPERSEDED, Status.DECLINED, Status.EXPIRED, Status.STOPPED)
