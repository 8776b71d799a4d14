"""How long entries and operations are kept, and legal holds, which keep what they cover out of any removal.

The log is one chain: entries leave it from its beginning only (console.audit.retention), so a held entry keeps all
that follow it. Operations are removed one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from console.audit.chain import Actor, record
from console.audit.models import Entry, LegalHold, RetentionPolicy
from console.audit.outcomes import Outcome
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef

MIN_ENTRIES_DAYS, MIN_OPERATIONS_DAYS = 30, 30
MAX_DAYS = 36_500
FIELDS = ("entries_days", "operations_days")
MANAGE = ("manage",)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class PolicyRefused(Exception):
    """The policy would keep things for less than the minimum, or longer than MAX_DAYS."""


@dataclass(frozen=True, slots=True)
class Removable:
    """What a number of days would take out of the log now: up to which entry, and how many entries that are."""

    through: int
    count: int
    is_held: bool  # a legal hold keeps more of it


def policy() -> RetentionPolicy:
    """Return what is set, or the defaults."""
    return RetentionPolicy.objects.first() or RetentionPolicy()


@transaction.atomic
def change(days: Mapping[str, int], *, reason: str, actor: Actor) -> RetentionPolicy:
    """Set both numbers of days, with an entry where they differ. Raises PolicyRefused."""
    minima = dict(zip(FIELDS, (MIN_ENTRIES_DAYS, MIN_OPERATIONS_DAYS), strict=True))
    if any(not minima[name] <= days[name] <= MAX_DAYS for name in FIELDS):
        raise PolicyRefused(days)
    now = policy()
    rows = [
        FieldChange((name,), str(getattr(now, name)), str(days[name]))
        for name in FIELDS
        if getattr(now, name) != days[name]
    ]
    if not rows:
        return now
    made, _is_new = RetentionPolicy.objects.update_or_create(pk=1, defaults=dict(days))
    record("audit.retention", actor=actor, by=MANAGE, outcome=Outcome.SUCCEEDED, changes=rows, text=reason)
    return made


def active_holds() -> list[LegalHold]:
    return list(LegalHold.objects.filter(lifted_at=None))


@transaction.atomic
def place(hold: LegalHold, *, actor: Actor) -> LegalHold:
    """Put a hold in force, with its entry."""
    hold.placed_by = actor.name
    hold.save(force_insert=True)
    _record("audit.hold-add", hold, hold.reason, actor)
    return hold


@transaction.atomic
def lift(pk: int, *, reason: str, actor: Actor) -> bool:
    """End a hold, with its entry; returns whether it was in force."""
    hold = LegalHold.objects.select_for_update().filter(pk=pk, lifted_at=None).first()
    if hold is None:
        return False
    hold.lifted_at, hold.lifted_by = timezone.now(), actor.name
    hold.save(update_fields=["lifted_at", "lifted_by"])
    _record("audit.hold-lift", hold, reason, actor)
    return True


def removable(days: int, now: datetime) -> Removable:
    """Return what `manage.py audit retain` with these days could take out of the log now."""
    wanted = last_before(now - timedelta(days=max(days, MIN_ENTRIES_DAYS)))
    held = first_held(wanted)
    through = wanted if held is None else held - 1
    return Removable(through, Entry.objects.filter(sequence__lte=through).count(), held is not None)


def last_before(moment: datetime) -> int:
    """Return the last of the entries that are all from before the moment, but never the newest."""
    first_kept = Entry.objects.filter(at__gte=moment).aggregate(first=Min("sequence"))["first"]
    newest = Entry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    return min(first_kept or newest, newest) - 1


def first_held(through: int) -> int | None:
    """Return the first of the entries up to there that a hold covers; None where none is."""
    condition = Q(pk__in=())
    for hold in active_holds():
        condition |= entries_of(hold)
    found: int | None = Entry.objects.filter(condition, sequence__lte=through).aggregate(first=Min("sequence"))["first"]
    return found


def entries_of(hold: LegalHold) -> Q:
    """The entries that a hold covers: of its namespace, service or person, or all; from its first day on."""
    condition = Q(at__gte=hold.since) if hold.since else Q()
    if hold.person:
        return condition & (Q(actor=hold.person) | Q(text__icontains=hold.person))
    return condition & _place_of(hold, "service")


def operations_of(hold: LegalHold) -> Q:
    """The operations that a hold covers (console.operations.models.Operation)."""
    condition = Q(finished_at__gte=hold.since) if hold.since else Q()
    if hold.person:
        return condition & (Q(actor=hold.person) | Q(approval__decided_by=hold.person))
    return condition & _place_of(hold, "name")


def first_held_of(ref: ServiceRef) -> datetime | None:
    """Return from when on legal holds cover what the service was; None where none does."""
    starts = [hold.since or _BEGINNING for hold in active_holds() if not hold.person and _is_of(hold, ref)]
    return min(starts, default=None)


def _is_of(hold: LegalHold, ref: ServiceRef) -> bool:
    asked = ((hold.cluster, ref.cluster), (hold.namespace, ref.namespace), (hold.service, ref.name))
    return all(held in ("", name) for held, name in asked)


def _place_of(hold: LegalHold, service: str) -> Q:
    asked = {"cluster": hold.cluster, "namespace": hold.namespace, service: hold.service}
    named = {name: value for name, value in asked.items() if value}
    return Q(**named) if named else Q(pk__isnull=False)  # an empty condition would vanish beside another one


def _record(action: str, hold: LegalHold, reason: str, actor: Actor) -> None:
    ref = ServiceRef(hold.cluster, hold.namespace, hold.service) if hold.cluster else None
    record(action, actor=actor, by=MANAGE, ref=ref, outcome=Outcome.SUCCEEDED, text=f"{hold}: {reason}")
