"""Who may both change and approve, and who approved whom how often: the questions about separation of duties."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from console.access.authorization import Rights
from console.access.permissions import CHANGING, Permission
from console.access.reviewing import by_place
from console.access.rights_history.holders import Asked, Holding
from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.operations.models.protection import ProtectionRule
from console.operations.protection.separation import separating

REQUESTED, APPROVED, DECLINED, OVERRIDDEN = "protect.request", "protect.approve", "protect.decline", "protect.override"
SEPARATED = "protect.separated"
RIGHTS_COLUMNS = (
    *("person", "person_id", "change_permissions", "change_role", "change_team", "change_scope"),
    *("approve_role", "approve_team", "approve_scope", "one_grant", "forbidden_by"),
)
DECISIONS_COLUMNS = (
    *("approver", "author", "approved", "declined", "denied", "overrides", "same_person", "last_at", "operations"),
)


@dataclass(frozen=True, slots=True)
class Both:
    """Two rights of a person that meet: by one they change, by the other they approve. `rules` forbid deciding."""

    change: Holding
    approve: Holding
    rules: tuple[str, ...]

    @property
    def person(self) -> str:
        return self.change.held.person.name

    @property
    def is_one_grant(self) -> bool:
        return self.change.held == self.approve.held

    @property
    def changing(self) -> list[str]:
        return [one for one in self.change.permissions if one in CHANGING]

    def record(self) -> dict[str, Any]:
        """Return the row of RIGHTS_COLUMNS."""
        return {
            "person": self.person,
            "person_id": self.change.held.person.id,
            "change_permissions": self.changing,
            "change_role": self.change.role,
            "change_team": self.change.team,
            "change_scope": str(self.change.scope),
            "approve_role": self.approve.role,
            "approve_team": self.approve.team,
            "approve_scope": str(self.approve.scope),
            "one_grant": self.is_one_grant,
            "forbidden_by": list(self.rules),
        }


@dataclass(slots=True)
class Pair:
    """What one person decided of another's requests: approved, declined, tried and was denied, passed by overrides."""

    approver: str
    author: str
    approved: int = 0
    declined: int = 0
    denied: int = 0
    overrides: int = 0
    is_same: bool = False
    last_at: datetime | None = None
    operations: list[UUID] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the row of DECISIONS_COLUMNS."""
        return {
            "approver": self.approver,
            "author": self.author,
            "approved": self.approved,
            "declined": self.declined,
            "denied": self.denied,
            "overrides": self.overrides,
            "same_person": self.is_same,
            "last_at": self.last_at.isoformat() if self.last_at else "",
            "operations": [str(one) for one in self.operations],
        }


def who_may_both(rights: Rights, cluster: str, namespace: str, name: str) -> list[Both]:
    """Return the people who may change and approve some same service now, as far as the reader audits it."""
    held: dict[int, list[Holding]] = defaultdict(list)
    for one in by_place(rights, Asked(cluster, namespace, person=name)):
        held[one.held.person.id].append(one)
    rules = [rule for rule in separating() if rule.approvers == ProtectionRule.Approvers.WITHOUT_RIGHTS]
    return [both for mine in held.values() for both in _meeting(mine, rules)]


def who_decided(entries: QuerySet[Entry], since: datetime | None, until: datetime | None, name: str) -> list[Pair]:
    """Return the decisions of the period by approver and author, of the entries that the reader may see."""
    found = entries.filter(action__in=(APPROVED, DECLINED, OVERRIDDEN, SEPARATED)).order_by("sequence")
    found = found.filter(at__gte=since) if since else found
    found = found.filter(at__lt=until) if until else found
    decided = list(found.defer("changes"))
    authors = _authors(entries, found)
    pairs: dict[tuple[Any, Any], Pair] = {}
    for entry in decided:
        author = entry if entry.action == OVERRIDDEN or _is_own(entry) else authors.get(entry.operation)
        pair = pairs.setdefault((_who(entry), _who(author)), Pair(entry.actor, author.actor if author else ""))
        pair.is_same = _who(entry) == _who(author)
        _count(pair, entry)
    wanted = name.lower()
    return [one for one in pairs.values() if wanted in one.approver.lower() or wanted in one.author.lower()]


def _meeting(mine: Sequence[Holding], rules: Iterable[ProtectionRule]) -> Iterable[Both]:
    """A right that gives both is told by itself; two where their scopes meet and the second does not give it all."""
    changes = [one for one in mine if not set(CHANGING).isdisjoint(one.permissions)]
    approves = [one for one in mine if Permission.APPROVE in one.permissions]
    for change in changes:
        for approve in approves:
            changing = set(change.permissions).intersection(CHANGING)
            is_told = change in approves or changing.issubset(approve.permissions)
            if change is approve or (not is_told and change.scope.overlaps(approve.scope)):
                yield Both(change, approve, tuple(rule.place for rule in rules if _is_forbidden(rule, change, approve)))


def _is_forbidden(rule: ProtectionRule, change: Holding, approve: Holding) -> bool:
    is_meant = not set(rule.permissions).isdisjoint(change.permissions)
    return is_meant and rule.scope.overlaps(change.scope) and rule.scope.overlaps(approve.scope)


def _authors(entries: QuerySet[Entry], decided: QuerySet[Entry]) -> dict[UUID | None, Entry]:
    """The entries by which the operations were submitted for approval, whenever that was, as far as they are here.

    Asked for in the database: SQLite takes no more than 32,766 numbers with a query.
    """
    ids = decided.filter(operation__isnull=False).order_by().values("operation")
    return {one.operation: one for one in entries.filter(operation__in=ids, action=REQUESTED).defer("changes")}


def _who(entry: Entry | None) -> tuple[Any, ...]:
    """The account, which keeps its number when it is renamed; nobody where the entry is in an archive."""
    if entry is None:
        return ("unknown",)
    return ("account", entry.actor_id) if entry.actor_id is not None else ("name", entry.actor)


def _is_own(entry: Entry) -> bool:
    return entry.outcome == Outcome.REFUSED and entry.text.endswith(" own change")


def _count(pair: Pair, entry: Entry) -> None:
    pair.last_at, pair.approver = entry.at, entry.actor
    pair.operations += [entry.operation] if entry.operation and entry.operation not in pair.operations else []
    if entry.action == SEPARATED or _is_own(entry):
        pair.denied += 1
    elif entry.action == APPROVED:
        pair.approved += 1
    elif entry.action == DECLINED:
        pair.declined += 1
    else:
        pair.overrides += 1
