"""Who held which permission where, and why: the rows of an answer. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.access.authorization import ADMINISTRATOR
from console.access.permissions import CHANGING, Permission
from console.access.rights_history.rows import key_of
from console.access.rights_history.state import Held, State
from console.access.scopes import STAR, Scope, patterns_meet, selector_text

CHANGE = "change"  # asks for any of CHANGING
COLUMNS = (
    *("person", "person_id", "permissions", "reason", "role", "team", "group"),
    *("cluster", "namespace", "labels", "only_with_labels", "until", "entries"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Where, and with which permission (empty: any). `labels` are those of a service; None: they are not known."""

    cluster: str = ""
    namespace: str = ""
    labels: Mapping[str, str] | None = None
    permission: str = ""
    person: str = ""

    @property
    def permissions(self) -> tuple[str, ...]:
        """One of them is enough."""
        if not self.permission:
            return tuple(Permission)
        return CHANGING if self.permission == CHANGE else (self.permission,)


@dataclass(frozen=True, slots=True)
class Holding:
    """One right of a person that reaches what was asked. `entries` are those of the log that gave it."""

    held: Held
    permissions: tuple[str, ...]
    entries: tuple[int, ...]
    is_conditional: bool  # only on services with the right's labels, and those of the service are not known

    @property
    def scope(self) -> Scope:
        return self.held.right.scope if self.held.right else Scope(STAR, STAR)

    @property
    def role(self) -> str:
        return self.held.role.name if self.held.role else ADMINISTRATOR

    @property
    def team(self) -> str:
        return self.held.team.name if self.held.team else ""

    @property
    def group(self) -> str:
        """The identity provider's group that made the person a member."""
        is_from_group = self.held.membership is not None and self.held.membership.from_group
        return self.held.team.group if self.held.team and is_from_group else ""

    @property
    def until(self) -> datetime | None:
        return self.held.right.until if self.held.right else None

    def record(self) -> dict[str, Any]:
        """Return the row of COLUMNS, as exports have it."""
        return {
            "person": self.held.person.name,
            "person_id": self.held.person.id,
            "permissions": list(self.permissions),
            "reason": "grant" if self.held.grant else ADMINISTRATOR,
            "role": self.role,
            "team": self.team,
            "group": self.group,
            "cluster": self.scope.cluster,
            "namespace": self.scope.namespace,
            "labels": selector_text(self.scope.selector),
            "only_with_labels": self.is_conditional,
            "until": self.until.isoformat() if self.until else "",
            "entries": list(self.entries),
        }


def holdings(state: State, now: datetime, asked: Asked, is_shown: Callable[[Scope | None], bool]) -> list[Holding]:
    """Return every right that reaches what is asked, by person; `is_shown` says of which scopes the reader may know.

    A right that several grants give is there several times: each of them alone would be enough.
    """
    found = (_holding(state, held, asked) for held in state.everything_held(now))
    rows = [one for one in found if one and is_shown(one.held.right.scope if one.held.right else None)]
    return sorted(rows, key=lambda one: (one.held.person.name, one.team, one.role, str(one.scope)))


def _holding(state: State, held: Held, asked: Asked) -> Holding | None:
    right = held.right
    permissions = tuple(p.value for p in Permission if right is None or p in right.permissions)
    if asked.person and asked.person.lower() not in held.person.name.lower():
        return None
    if set(permissions).isdisjoint(asked.permissions) or not (right is None or _reaches(right.scope, asked)):
        return None
    is_conditional = bool(right and right.selector and asked.labels is None)
    entries = {state.entries[key] for row in held.rows if (key := key_of(row)) in state.entries}
    return Holding(held, permissions, tuple(sorted(entries)), is_conditional)


def _reaches(scope: Scope, asked: Asked) -> bool:
    return (
        patterns_meet(scope.cluster, asked.cluster or STAR)
        and patterns_meet(scope.namespace, asked.namespace or STAR)
        and (asked.labels is None or scope.selector.items() <= asked.labels.items())
    )
