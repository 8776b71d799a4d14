"""In which roles, and for which team, somebody acts. console.access knows it and connects itself at start."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from console.knative.references import ServiceRef


@dataclass(frozen=True, slots=True)
class ActingRole:
    """The roles that applied, and the team whose grant it was: empty when there is none or when it is ambiguous."""

    roles: tuple[str, ...] = ()
    team: str = ""


NOBODY = ActingRole()
# user id, permissions that the action needs, object, its labels when the caller knows them
Source = Callable[[int, Collection[str], ServiceRef | None, Mapping[str, str] | None], ActingRole]
_source: Source | None = None


def connect(source: Source) -> None:
    """Let `acting_role_of` ask this function."""
    global _source  # noqa: PLW0603  set once, at start
    _source = source


def acting_role_of(
    user_id: int | None, permissions: Collection[str], ref: ServiceRef | None, labels: Mapping[str, str] | None
) -> ActingRole:
    """Return the role in which a person acts; NOBODY for the console itself and for those who did not sign in."""
    return _source(user_id, permissions, ref, labels) if _source and user_id is not None else NOBODY
