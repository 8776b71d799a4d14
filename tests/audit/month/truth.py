"""What really happened in the month, as its generator knows it: plain data, nothing of it read from the console.

Times are UTC. An interval holds from `since` on and ends before `until` (None: it has not ended).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase


@dataclass(frozen=True, order=True)
class Place:
    """A service."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @property
    def facts(self) -> dict[str, str]:
        return {"cluster": self.cluster, "namespace": self.namespace, "service": self.name}


@dataclass
class Spell:
    """Something that holds for a time."""

    since: datetime
    until: datetime | None = field(default=None, kw_only=True)

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass
class Member(Spell):
    """A person (by account) in a team (by its first name); `ends` was said when the membership was made."""

    person: str
    team: str
    is_owner: bool = False
    ends: datetime | None = None
    by_group: bool = False

    def holds(self, moment: datetime) -> bool:
        return super().holds(moment) and (self.ends is None or moment < self.ends)


@dataclass
class Granted(Spell):
    """A role that a team has somewhere."""

    team: str
    role: str
    cluster: str
    namespace: str

    def covers(self, place: Place) -> bool:
        return fnmatchcase(place.cluster, self.cluster) and fnmatchcase(place.namespace, self.namespace)

    @property
    def scope(self) -> str:
        return f"{self.cluster}/{self.namespace}"


@dataclass
class Active(Spell):
    """A time in which an account may be used."""

    person: str
    is_administrator: bool = False


@dataclass
class Holds(Spell):
    """What a role holds for a time."""

    role: str
    permissions: frozenset[str]


@dataclass
class Named(Spell):
    """A team's name for a time."""

    team: str
    name: str


@dataclass(frozen=True, order=True)
class Why:
    """One way in which a person has a permission: the role, by which team (as it was called), where."""

    person: str
    role: str
    team: str = ""
    scope: str = ""


ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class State:
    """A service as it is from a moment on."""

    image: str
    split: tuple[tuple[str, int], ...]  # revision (or @latest) and percent
    env: Mapping[str, str]
    labels: Mapping[str, str]
    scale: Mapping[str, str] = field(default_factory=dict)
    revision: int = 1

    def but(self, **facts: object) -> State:
        return replace(self, **facts)


@dataclass
class Change:
    """A change of a service: asked for, decided by somebody, ended, or made outside the console."""

    at: datetime
    place: Place
    kind: str
    who: str
    reason: str = ""
    needs: str = "deploy"
    outcome: str = ""  # succeeded, declined, expired, withdrawn; refused: never let in
    ended_at: datetime | None = None  # of one that was written
    decided_by: str = ""
    decided_at: datetime | None = None
    comment: str = ""
    overrode: bool = False
    is_outside: bool = False
    protected: bool = False  # a rule, freeze or lock held for it at that moment
    waited: bool = False
    operation: str = ""
    before: State | None = None
    after: State | None = None

    @property
    def is_written(self) -> bool:
        return self.outcome == "succeeded"


@dataclass(frozen=True)
class Act:
    """Something that a person did, as the log should have it."""

    at: datetime
    who: str  # as the log names them
    account: int | None
    action: str
    outcome: str = "succeeded"
    place: Place | None = None
    about: str = ""  # what its entry has to mention


Told = tuple[datetime, str, str]  # when, the entry's action and outcome


@dataclass(frozen=True)
class Bypass:
    """Something that went round, or weakened, what asks for a second person."""

    at: datetime
    who: str
    kind: str  # override, outside, rule-removed, rule-narrowed, freeze-removed, freeze-narrowed, role-raised
    about: str


@dataclass
class Truth:
    """All of it."""

    members: list[Member] = field(default_factory=list)
    grants: list[Granted] = field(default_factory=list)
    accounts: list[Active] = field(default_factory=list)
    roles: list[Holds] = field(default_factory=list)
    names: list[Named] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    bypasses: list[Bypass] = field(default_factory=list)
    states: dict[Place, list[tuple[datetime, State | None]]] = field(default_factory=lambda: defaultdict(list))

    def call(self, person: str, former: str) -> None:
        """Somebody else gets this key: what was the person's is theirs under another one."""
        for spell in (*self.accounts, *self.members):
            spell.person = former if spell.person == person else spell.person
        for change in self.changes:
            change.who = former if change.who == person else change.who
            change.decided_by = former if change.decided_by == person else change.decided_by

    def name_of(self, team: str, moment: datetime) -> str:
        return next(one.name for one in self.names if one.team == team and one.holds(moment))

    def permissions_of(self, role: str, moment: datetime) -> frozenset[str]:
        return next(one.permissions for one in self.roles if one.role == role and one.holds(moment))

    def ways(self, moment: datetime, permission: str, place: Place) -> set[Why]:
        """Everybody who had the permission there then, by each way that gave it."""
        return set(self._ways(moment, permission, place))

    def _ways(self, moment: datetime, permission: str, place: Place) -> Iterator[Why]:
        active = {one.person: one for one in self.accounts if one.holds(moment)}
        yield from (Why(name, ADMINISTRATOR) for name, one in active.items() if one.is_administrator)
        for grant in self.grants:
            if not (grant.holds(moment) and grant.covers(place)):
                continue
            if permission not in self.permissions_of(grant.role, moment):
                continue
            for member in self.members:
                if member.team == grant.team and member.holds(moment) and member.person in active:
                    yield Why(member.person, grant.role, self.name_of(grant.team, moment), grant.scope)

    def may(self, person: str, moment: datetime, permission: str, place: Place) -> bool:
        return any(way.person == person for way in self.ways(moment, permission, place))

    def state(self, place: Place, moment: datetime) -> State | None:
        """The service at the moment; None: there was none."""
        known = [state for at, state in self.states[place] if at <= moment]
        return known[-1] if known else None

    def told_of(self, person: str, account: int) -> list[Told]:
        """Every entry that the log should have of the account, oldest first."""
        found = [(one.at, one.action, one.outcome) for one in self.acts if one.account == account]
        for change in self.changes:
            if change.who == person and not change.is_outside:
                found += _told_of(change)
        return sorted(found)


def _told_of(change: Change) -> Iterator[Told]:
    if change.outcome == "refused":
        action = "protect.frozen" if change.protected else f"{change.needs}.refused"
        yield change.at, action, "refused"
        return
    yield change.at, f"{change.needs}.{change.kind}", "requested"
    if change.waited:
        yield change.at, "protect.request", "requested"
    if change.overrode:
        yield change.at, "protect.override", "succeeded"
    if change.ended_at:
        yield change.ended_at, "operation.succeeded", "succeeded"
