"""The rows as the database has them now."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from console.access import models
from console.access.rights_history import rows
from console.access.rights_history.rows import Row
from console.access.rights_history.state import State


def current() -> State:
    """Return everybody's rights as they are now, in five queries."""
    return State.of(
        [
            *(rows.Person(*one) for one in _values(models.User, "id", "username", "is_active", "is_superuser")),
            *(rows.Role(id, name, tuple(held)) for id, name, held in _values(models.Role, "id", "name", "permissions")),
            *(rows.Team(*one) for one in _values(models.Team, "id", "name", "oidc_group")),
            *(
                rows.Membership(id, person, team, is_owner, from_group, _iso(until))
                for id, person, team, is_owner, from_group, until in _values(
                    models.Membership, "id", "user_id", "team_id", "is_owner", "from_oidc", "expires_at"
                )
            ),
            *(
                rows.Grant(*one)
                for one in _values(models.Grant, "id", "team_id", "role_id", "cluster", "namespace", "selector")
            ),
        ]
    )


def row_of(instance: Any) -> Row:
    """Return what the log keeps of a row of one of the five tables."""
    return _ROW_OF[type(instance)](instance)


def _values(model: Any, *names: str) -> Any:
    return model.objects.order_by("pk").values_list(*names)


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


_ROW_OF: dict[type, Callable[[Any], Row]] = {
    models.User: lambda one: rows.Person(one.pk, one.username, one.is_active, one.is_superuser),
    models.Role: lambda one: rows.Role(one.pk, one.name, tuple(one.permissions)),
    models.Team: lambda one: rows.Team(one.pk, one.name, one.oidc_group),
    models.Membership: lambda one: rows.Membership(
        one.pk, one.user_id, one.team_id, one.is_owner, one.from_oidc, _iso(one.expires_at)
    ),
    models.Grant: lambda one: rows.Grant(one.pk, one.team_id, one.role_id, one.cluster, one.namespace, one.selector),
}
MODELS = tuple(_ROW_OF)
