"""Reviews of access as entries of the log: what somebody looked at, by its digest, and what was decided of it."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from console import audit
from console.access.actors import Actor
from console.access.auditing import reads_everything
from console.access.authorization import Rights
from console.access.permissions import Permission
from console.audit import Outcome
from console.audit.models import Entry
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef

ACTION = "rights.review"
KEPT, REMOVE, NOTED = "kept", "to-be-removed", "note"
DECISIONS = (KEPT, REMOVE, NOTED)
SHOWN = 10
MAX_NOTE = 500  # characters


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at: the list, its filter (the query of the address), how many rows, and their digest."""

    view: str
    filter: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Review:
    """A review that the log has."""

    entry: Entry
    looked: Looked
    decision: str

    @property
    def note(self) -> str:
        return self.entry.text

    def is_of(self, now: Looked) -> bool:
        """Whether what was looked at is the same now."""
        return self.looked == now


def digest(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> str:
    """Return a SHA-256 of these columns of the rows, in their order: a line of JSON, a list of the values, each."""
    lines = (json.dumps([record[name] for name in columns], ensure_ascii=False) for record in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def record(looked: Looked, decision: str, note: str, *, cluster: str, namespace: str, actor: Actor) -> None:
    """Keep the review. One of a namespace is an entry about it, so that its auditors can read it."""
    facts = {**{name: str(getattr(looked, name)) for name in Looked.__slots__}, "decision": decision}
    audit.record(
        ACTION,
        actor=actor,
        outcome=Outcome.SUCCEEDED,
        ref=ServiceRef(cluster, namespace, "") if cluster and namespace else None,
        changes=[FieldChange(("review", name), None, value) for name, value in facts.items() if value],
        by=(Permission.AUDIT,),
        text=note[:MAX_NOTE],
    )


def last_of(view: str, filter: str, rights: Rights) -> list[Review]:
    """Return the newest reviews of this list with this filter, newest first, that the person may know of."""
    found = Entry.objects.filter(action=ACTION).order_by("-sequence")
    reviews = map(_review, found.iterator(chunk_size=50))
    same = (one for one in reviews if (one.looked.view, one.looked.filter) == (view, filter))
    return list(islice(_readable(same, rights), SHOWN))


def _readable(reviews: Iterable[Review], rights: Rights) -> Iterable[Review]:
    for one in reviews:
        entry = one.entry
        place = ServiceRef(entry.cluster, entry.namespace, "")
        if reads_everything(rights) or (entry.cluster and rights.allows(Permission.AUDIT, place)):
            yield one


def _review(entry: Entry) -> Review:
    facts: dict[str, Any] = {change["field"].removeprefix("review."): change["after"] for change in entry.changes}
    rows = facts.get("rows", "")
    looked = Looked(
        facts.get("view", ""), facts.get("filter", ""), int(rows) if rows.isdecimal() else 0, facts.get("sha256", "")
    )
    return Review(entry, looked, facts.get("decision", ""))
