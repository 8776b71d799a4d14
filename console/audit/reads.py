"""Reads that leave entries: of the log itself and of container logs. One entry for a person, a subject and an hour.

The first read of an hour is an entry at once. Further ones are counted in a row beside the log; when the hour is over,
a second entry says how many they were, and from when to when. Both are appended: nothing in the log changes.
"""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from console.audit.chain import Actor, record
from console.audit.models import ReadWindow
from console.audit.operators import Operator
from console.audit.outcomes import Outcome
from console.knative.references import ServiceRef

HOUR = timedelta(hours=1)
MORE = "-more"  # ends the action of the entry that closes an hour
BATCH_SIZE = 500  # hours closed in one turn


def note(what: str, *, actor: Actor, by: Collection[str], ref: ServiceRef | None = None, subject: str = "") -> None:
    """Leave the entry `read.WHAT`, or count the read where the person's entry of this hour and subject is there.

    `subject` names what was read in words; never what a person typed to find it.
    """
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    key = _key(actor, what, ref, subject, hour)
    if _count(key, now):
        return
    place = {"cluster": ref.cluster, "namespace": ref.namespace, "service": ref.name} if ref else {}
    with transaction.atomic():
        _window, is_first = ReadWindow.objects.get_or_create(
            key=key,
            defaults={
                "hour": hour, "actor": actor.name, "actor_id": actor.user_id, "ip": actor.ip,
                "what": what, "subject": subject[:200], "by": ",".join(by), **place,
            },
        )  # fmt: skip
        if is_first:
            record(f"read.{what}", actor=actor, by=by, ref=ref, outcome=Outcome.SUCCEEDED, text=subject)
    if not is_first:  # another request of the same moment was
        _count(key, now)


def _count(key: str, now: datetime) -> bool:
    """Count one more read of an hour that has its entry; returns whether it has."""
    window = ReadWindow.objects.filter(key=key)
    first = Coalesce("first_again_at", Value(now))
    return bool(window.update(count=F("count") + 1, last_at=now, first_again_at=first))


def close_past() -> int:
    """Leave the closing entries of hours that are over, and forget their counts; returns how many entries."""
    past = ReadWindow.objects.filter(hour__lte=timezone.now() - HOUR).order_by("hour", "pk")[:BATCH_SIZE]
    return sum(_close(window.pk) for window in past)


@transaction.atomic
def _close(pk: int) -> bool:
    """Another worker may be at it: the row is taken before its entry is written."""
    window = ReadWindow.objects.select_for_update().filter(pk=pk).first()
    if window is None:
        return False
    window.delete()
    if not window.count or window.first_again_at is None or window.last_at is None:
        return False
    times = f"{window.count} more from {_utc(window.first_again_at)} to {_utc(window.last_at)}"
    ref = ServiceRef(window.cluster, window.namespace, window.service) if window.cluster else None
    actor = Operator(window.actor, window.actor_id, window.ip)
    text = ", ".join(filter(None, (window.subject, times)))
    by = window.by.split(",")
    record(f"read.{window.what}{MORE}", actor=actor, by=by, ref=ref, outcome=Outcome.SUCCEEDED, text=text)
    return True


def _key(actor: Actor, what: str, ref: ServiceRef | None, subject: str, hour: datetime) -> str:
    facts = (actor.user_id, actor.name, what, str(ref or ""), subject, hour.isoformat())
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
