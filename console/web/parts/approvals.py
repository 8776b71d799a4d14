"""What the page of the requests for an approval shows, and the number of them in the navigation."""

from typing import Any, NamedTuple
from uuid import UUID

from django.http import QueryDict

from console.access.authorization import Rights
from console.access.labels import labels_of_many
from console.access.permissions import Permission
from console.operations import queries
from console.operations.models import SEALED, Operation
from console.operations.models.statuses import Status
from console.operations.protection.approvals import Waiting
from console.web import windows
from console.web.paging import PAGE_SIZE
from console.web.windows import Take, Window

BY = "expires_at"  # what waits always has a moment


class Sight(NamedTuple):
    """Two people who decide on the same requests, and see the same services, see the same page."""

    mine: tuple[UUID, ...]
    services: Any  # those that may be seen: Rights.sight
    may_manage: bool


def sight(waiting: Waiting, person: int, rights: Rights) -> Sight:
    """Return what decides what the person with this id sees of what waits."""
    mine = tuple(operation.id for operation in waiting.for_person(person, rights))
    return Sight(mine, rights.sight, rights.allows(Permission.MANAGE))


def count(waiting: Waiting, person: int, rights: Rights) -> int | None:
    """Return how many requests wait for the person with this id; None for who may approve nothing at all."""
    return len(waiting.for_person(person, rights)) if rights.allows(Permission.APPROVE) else None


def listing(waiting: Waiting, rights: Rights, sight: Sight, query: QueryDict) -> dict[str, Any]:
    """Return what waits for somebody's approval, and what else waits on services that they may see.

    Both in pages by cursor, those that expire first in front.
    """
    seen = queries.visible(rights, labels_of_many()).filter(status=Status.WAITING).defer(*SEALED)
    others = seen.exclude(id__in=sight.mine).exclude(expires_at=None)
    return {
        "for_me": _window(query, windows.listed(waiting.named(sight.mine), BY)),
        "count": len(sight.mine),
        "others": _window(query, windows.stored(others, BY), "others-"),
        "may_manage": sight.may_manage,
    }


def _window(query: QueryDict, take: Take[Operation], prefix: str = "") -> Window[Operation]:
    return windows.window(take, BY, query, size=PAGE_SIZE, newest_first=False, prefix=prefix)
