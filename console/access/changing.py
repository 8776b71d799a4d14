"""One way to change people, teams, roles and grants: alone, in one transaction with its audit entry; refusals too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction

from console import audit, counters
from console.access.actors import Actor
from console.access.authorization import Rights, rights_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.refusals import Gone, RuleBroken
from console.access.rights_history.recording import recording
from console.audit import Outcome
from console.counters import Refused
from console.knative.diff import FieldChange

_LOCK = 0x51_0C_E1  # any fixed number but audit's: PostgreSQL's advisory lock for changes of access


@dataclass(slots=True)
class Change:
    """A change under way: who makes it with which rights, read under the lock, and what differs so far."""

    user: User
    rights: Rights
    differences: list[FieldChange] = field(default_factory=list)

    def note(self, name: str, before: object, after: object) -> None:
        """Record a field's value before and after (None: not set); equal values are not recorded."""
        was, becomes = (None if value is None else str(value) for value in (before, after))
        if was != becomes:
            self.differences.append(FieldChange((name,), was, becomes))


@contextmanager
def changing(action: str, *, user: User, actor: Actor, about: str) -> Iterator[Change]:
    """Run the block in a transaction that no other change of access overlaps, and write what it notes to the log.

    Rights are read after the lock was taken, so that two people who take the last owner's mark from one another, or
    raise a role while it is granted, are judged one after the other. A RuleBroken from the block is logged and raised;
    what was deleted meanwhile is Gone. The entry has the rows of rights that the block wrote, too.
    """
    try:
        with alone(), recording() as written:
            now = User.objects.get(pk=user.pk)
            change = Change(now, rights_of(now))
            try:
                yield change
            except ObjectDoesNotExist as error:
                raise Gone from error
            if change.differences:
                audit.record(
                    action,
                    actor=actor,
                    outcome=Outcome.SUCCEEDED,
                    changes=[*change.differences, *written.changes()],
                    by=(Permission.MANAGE,),
                    text=about,
                )
    except RuleBroken as refusal:
        counters.REFUSALS.labels(Refused.RULE.value).inc()
        audit.record(action, actor=actor, outcome=Outcome.REFUSED, text=f"{about}: {refusal.code}")
        refusal.is_audited = True
        raise


@contextmanager
def alone() -> Iterator[None]:
    """Run the block in a transaction that no other change of access overlaps."""
    with transaction.atomic():
        _wait_for_others()
        yield


def _wait_for_others() -> None:
    """Take the lock until the transaction ends. SQLite has taken its only one at BEGIN IMMEDIATE."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
