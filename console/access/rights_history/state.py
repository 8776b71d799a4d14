"""The rights of everybody at one moment: the rows of then, and what they add up to. Pure.

What somebody may do is asked of console.access.authorization.Rights, as everywhere: there is no second rule.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from console.access.authorization import Right, Rights
from console.access.rights_history.rows import Grant, Key, Membership, Person, Role, Row, Team, key_of
from console.access.scopes import parse_selector


@dataclass(frozen=True, slots=True)
class Held:
    """One right of a person, and why: through this membership and this grant; an administrator's has neither."""

    person: Person
    right: Right | None = None
    membership: Membership | None = None
    team: Team | None = None
    grant: Grant | None = None
    role: Role | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that the right rests on."""
        found = (self.person, self.membership, self.team, self.grant, self.role)
        return tuple(row for row in found if row is not None)


@dataclass
class State:
    """The rows of one moment, by kind and id. `entries` are those of the log that wrote them, where that is known."""

    rows: dict[Key, Row] = field(default_factory=dict)
    entries: dict[Key, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "State":
        return cls({key_of(row): row for row in rows})

    @cached_property
    def people(self) -> list[Person]:
        """Everybody with an account, by name."""
        return sorted((row for row in self.rows.values() if isinstance(row, Person)), key=lambda one: one.name)

    def rights_of(self, person: Person, now: datetime) -> Rights:
        """Return what the person may do at the moment, which is one of those that the rows are of."""
        return Rights(person, [held.right for held in self.held_by(person, now) if held.right])

    def everything_held(self, now: datetime) -> Iterator[Held]:
        """Yield every right of everybody, by person."""
        for person in self.people:
            yield from self.held_by(person, now)

    def held_by(self, person: Person, now: datetime) -> Iterator[Held]:
        """Yield the person's rights at the moment: none of somebody who is not active or whose membership has ended."""
        if not person.active:
            return
        if person.administrator:
            yield Held(person)
        for membership in self._memberships.get(person.id, ()):
            until = datetime.fromisoformat(membership.until) if membership.until else None
            if until is None or until > now:
                yield from self._through(person, membership, until)

    def _through(self, person: Person, membership: Membership, until: datetime | None) -> Iterator[Held]:
        team = self.rows.get(("team", membership.team))
        for grant in self._grants.get(membership.team, ()):
            role = self.rows.get(("role", grant.role))
            if isinstance(team, Team) and isinstance(role, Role):
                right = Right(
                    frozenset(role.permissions),
                    grant.cluster,
                    grant.namespace,
                    parse_selector(grant.selector),
                    role.name,
                    team.name,
                    until,
                )
                yield Held(person, right, membership, team, grant, role)

    @cached_property
    def _memberships(self) -> dict[int, list[Membership]]:
        found = defaultdict(list)
        for row in self.rows.values():
            if isinstance(row, Membership):
                found[row.person].append(row)
        return found

    @cached_property
    def _grants(self) -> dict[int, list[Grant]]:
        found = defaultdict(list)
        for row in self.rows.values():
            if isinstance(row, Grant):
                found[row.team].append(row)
        return found
