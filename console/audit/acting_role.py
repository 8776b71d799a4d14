"""In which roles, and for which team, somebody acts. The access room knows it and connects itself at start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.knative.references import ServiceRef


@dataclass(frozen=True, slots=True)
class Standing:
    """The roles that applied, and the team whose grant it was: empty when none or when it cannot be told."""

    roles: tuple[str, ...] = ()
    team: str = ""


NOBODY = Standing()
# user id, action, object, its labels when the caller knows them
Source = Callable[[int, str, ServiceRef | None, Mapping[str, str] | None], Standing]
_source: Source | None = None


def connect(source: Source) -> None:
    """Let `standing_of` ask this function."""
    global _source  # noqa: PLW0603  set once, at start
    _source = source


def standing_of(user_id: int | None, action: str, ref: ServiceRef | None, labels: Mapping[str, str] | None) -> Standing:
    """Return the standing of a person; that of nobody for the console itself and for those who did not sign in."""
    return _source(user_id, action, ref, labels) if _source and user_id is not None else NOBODY
