"""What somebody typed into a form and has not applied: kept for Back, for a reload, and for another language or theme.

It may hold values of variables, so it is sealed, its author alone gets it back, and it lives as long as a session may:
a person who returns to an expired preview still has what was typed.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from console.access.models import User
from console.operations.models import Draft
from console.sealing import seal

RETENTION = timedelta(hours=12)
MAX_PER_PERSON = 30  # beyond these the oldest is forgotten


def keep(user: User, path: str, fields: Mapping[str, Sequence[str]]) -> Draft:
    """Keep the fields of the form at the path."""
    draft = Draft.objects.create(user=user, path=path, sealed_fields=seal({"form": fields}))
    kept = Draft.objects.filter(user=user).order_by("-created_at").values_list("id", flat=True)
    Draft.objects.filter(id__in=list(kept[MAX_PER_PERSON:])).delete()
    return draft


def note(draft: Draft, extra: Mapping[str, Sequence[str]]) -> None:
    """Keep what was typed on the draft's preview, such as the reason, beside what was typed into its form."""
    draft.sealed_fields = seal({"form": draft.fields, "preview": extra})
    draft.save(update_fields=["sealed_fields"])


def find(draft_id: UUID, user: User, path: str) -> Draft | None:
    """Return the person's own draft of the form at the path, unless it is too old or was applied."""
    return _readable(_alive(user, path).filter(id=draft_id))


def find_own(draft_id: UUID, user: User) -> Draft | None:
    """Return the person's own draft, of whichever form."""
    return _readable(Draft.objects.filter(id=draft_id, user=user, created_at__gt=timezone.now() - RETENTION))


def latest(user: User, path: str) -> Draft | None:
    """Return what the person last typed into that form and did not apply."""
    return _readable(_alive(user, path).order_by("-created_at"))


def applied(draft_id: UUID, user: User) -> None:
    """Forget the draft, and earlier ones of the same form: what was typed has been applied."""
    if draft := Draft.objects.filter(id=draft_id, user=user).first():
        forget(user, draft.path)


def forget(user: User, path: str) -> None:
    """Forget what the person typed into the form at the path."""
    Draft.objects.filter(user=user, path=path).delete()


def forget_old() -> int:
    """Delete what nobody applied in time; returns how many."""
    return Draft.objects.filter(created_at__lt=timezone.now() - RETENTION).delete()[0]


def _alive(user: User, path: str) -> QuerySet[Draft]:
    return Draft.objects.filter(user=user, path=path, created_at__gt=timezone.now() - RETENTION)


def _readable(drafts: QuerySet[Draft]) -> Draft | None:
    """The first of them; None also where it was sealed with a key that is lost: it has nothing to show."""
    found = drafts.first()
    return found if found and found.is_readable else None
