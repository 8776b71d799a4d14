"""What of the services needs a person: failed, stuck, waiting for an approval, or a newer revision without traffic."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative import kn
from console.knative.authors import ActorKind, Author
from console.knative.objects import Health
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.summaries import ServiceSummary
from console.operations.models import Operation
from console.web import causes, diagnosis, words

STUCK_AFTER = timedelta(minutes=10)  # Knative's default progress deadline: what is not ready by then has not succeeded
GRADUAL_ROLLOUT = "RolloutInProgress"  # Knative moves the traffic by itself, as slowly as it was told to
NO_ONE: frozenset[ServiceRef] = frozenset()


class Reason(StrEnum):
    """Why a service needs attention, the most urgent first."""

    FAILED = "failed"
    STUCK = "stuck"
    APPROVAL = "approval"
    NOT_SERVING = "not-serving"


WORDS = {
    Reason.FAILED: gettext_lazy("Failed"),
    Reason.STUCK: gettext_lazy("Stuck"),
    Reason.APPROVAL: gettext_lazy("Waiting for approval"),
    Reason.NOT_SERVING: gettext_lazy("Newer not serving"),
}
STATES = {Reason.FAILED: "failed", Reason.STUCK: "warning", Reason.APPROVAL: "waiting", Reason.NOT_SERVING: "warning"}
_URGENCY = {reason: place for place, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Concern:
    """A service that needs attention, why, in a sentence, and who made the change that it is about."""

    row: ServiceSummary
    reason: Reason
    sentence: str
    who: Author
    at: datetime | None


def reason_of(row: ServiceSummary, now: datetime, waiting: Collection[ServiceRef] = NO_ONE) -> Reason | None:
    """Return why the service needs attention, or None; `waiting` are those with a change that waits for approval."""
    if row.health == Health.FAILED:
        return Reason.FAILED
    is_trying = row.health == Health.PROGRESSING and row.reason != GRADUAL_ROLLOUT
    if is_trying and row.changed_at and now - row.changed_at > STUCK_AFTER:
        return Reason.STUCK
    if row.ref in waiting:
        return Reason.APPROVAL
    return Reason.NOT_SERVING if row.newer_not_serving else None


def may_concern(row: ServiceSummary) -> bool:
    """Whether the service may need attention now or later, as long as nothing changes; it does too when it waits."""
    return row.health in (Health.FAILED, Health.PROGRESSING) or row.newer_not_serving


def first_concerns(
    found: Iterable[tuple[ServiceSummary, Reason]], limit: int, under_way: Mapping[ServiceRef, Operation]
) -> list[Concern]:
    """Return the most urgent of the services, each with its sentence; `under_way`: operations that have not ended."""
    ordered = sorted(found, key=lambda pair: (_URGENCY[pair[1]], pair[0].name, pair[0].namespace, pair[0].cluster))
    return [
        Concern(row, reason, _sentence(row, reason), *_made_by(row, reason, under_way))
        for row, reason in ordered[:limit]
    ]


def _made_by(
    row: ServiceSummary, reason: Reason, under_way: Mapping[ServiceRef, Operation]
) -> tuple[Author, datetime | None]:
    """Who asked for the change that waits; else who changed the service last."""
    if reason is Reason.APPROVAL:
        return Author(under_way[row.ref].actor, ActorKind.PERSON), under_way[row.ref].submitted_at
    return row.author, row.changed_at


def _sentence(row: ServiceSummary, reason: Reason) -> str:
    if reason is Reason.APPROVAL:
        return _("A change is waiting for approval.")
    if reason is Reason.NOT_SERVING:
        return _("The latest ready revision %(name)s gets no traffic.") % {"name": row.latest_ready}
    return _cause(row) or _why_unready(row)


def _cause(row: ServiceSummary) -> str:
    """The cause as the service's own page says it; empty where none is known."""
    service = next(iter(read.several(row.cluster, [row.ref])), None)
    finding = diagnosis.finding(row.ref, service) if service else None
    return causes.text(finding.cause) if finding and causes.short(finding.code) else ""


def _why_unready(row: ServiceSummary) -> str:
    age = words.age(kn.age(row.changed_at, timezone.now())) if row.changed_at else "?"
    return _("Not ready %(age)s after the last change: %(reason)s") % {"age": age, "reason": row.message or row.reason}
