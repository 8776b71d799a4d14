"""The query parameters of each address. An unknown name or value is refused, or a typing error would filter nothing.

They are named as the filters of the pages. An empty value asks for nothing, as in a form.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from console.access.permissions import Permission
from console.audit import Outcome
from console.audit.searching import GROUPS
from console.knative.authors import ActorKind
from console.knative.changes import KINDS, Combined
from console.knative.objects import Health
from console.web.api.kinds import MAX_LIMIT, USUAL_LIMIT, Moment, OperationStatus, PersonState

NO_NUL = r"^[^\x00]*$"  # PostgreSQL's texts hold none
MAX_TEXT, MAX_CURSOR = 200, 1000  # characters


def _one_of(values: Sequence[str]) -> dict[str, list[str]]:
    return {"enum": sorted(values)}


Text = Annotated[str, Meta(max_length=MAX_TEXT, pattern=NO_NUL)]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="Maximum number of items.", examples=[20])]
Cursor = Annotated[str, Meta(max_length=MAX_CURSOR, description="`next` from the previous page.")]
Cluster = Annotated[Text, Meta(description="The name of a cluster.", examples=["production"])]
Namespace = Annotated[Text, Meta(description="The name of a namespace.", examples=["payments"])]
ChangeKind = Annotated[
    str,
    Meta(description="The kind of change.", extra_json_schema=_one_of([*KINDS, Combined.__name__])),
]
Group = Annotated[str, Meta(description="Actions that people look for together.", extra_json_schema=_one_of([*GROUPS]))]
Since = Annotated[Moment, Meta(description="From this moment on. RFC 3339 with a zone; `+` is written `%2B`.")]
Until = Annotated[Moment, Meta(description="Before this moment. RFC 3339 with a zone; `+` is written `%2B`.")]
SORTED = "Prefix with `-` to reverse the order."


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class PageQuery(Query, frozen=True):
    """A page of a list."""

    limit: Limit = USUAL_LIMIT
    cursor: Cursor = ""


class TimeQuery(PageQuery, frozen=True):
    """A page of what happened from one moment to another."""

    since: Since | UnsetType = UNSET
    until: Until | UnsetType = UNSET

    def __post_init__(self) -> None:
        for name, moment in (("since", self.since), ("until", self.until)):
            if isinstance(moment, datetime) and not 1970 < moment.year < 9999:
                raise ValueError(f"{name}: the year is out of range")
        if isinstance(self.since, datetime) and isinstance(self.until, datetime) and self.since >= self.until:
            raise ValueError("until: not later than “since”")


ServiceOrder = Literal[
    "name", "namespace", "cluster", "health", "age", "changed",
    "-name", "-namespace", "-cluster", "-health", "-age", "-changed",
]  # fmt: skip
RevisionOrder = Literal[
    "service", "name", "namespace", "cluster", "traffic", "generation", "state", "age",
    "-service", "-name", "-namespace", "-cluster", "-traffic", "-generation", "-state", "-age",
]  # fmt: skip


class ServiceQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of name, namespace, image, URL or label=value.")] = ""
    cluster: Cluster = ""
    namespace: Namespace = ""
    health: Health | UnsetType = UNSET
    attention: Annotated[
        bool, Meta(description="Only services that failed, are stuck, or whose latest revision serves no traffic.")
    ] = False
    sort: Annotated[ServiceOrder, Meta(description=SORTED)] = "name"


class RevisionQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of name, image or tag.")] = ""
    sort: Annotated[
        Literal["generation", "-generation", "name", "-name", "traffic", "-traffic"], Meta(description=SORTED)
    ] = "-generation"


class AllRevisionsQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of name, service, namespace, image, tag or reason.")] = ""
    cluster: Cluster = ""
    namespace: Namespace = ""
    state: Annotated[Health, Meta(description="The health of the revision.")] | UnsetType = UNSET
    traffic: (
        Annotated[Literal["yes", "no"], Meta(description="Whether it gets traffic; a tag alone does not count.")]
        | UnsetType
    ) = UNSET
    sort: Annotated[RevisionOrder, Meta(description=SORTED)] = "service"


class OperationQuery(TimeQuery, frozen=True):
    cluster: Cluster = ""
    namespace: Namespace = ""
    name: Annotated[Text, Meta(description="The name of the service.")] = ""
    status: OperationStatus | UnsetType = UNSET
    kind: ChangeKind | UnsetType = UNSET
    actor: Annotated[Text, Meta(description="Who made the change.")] = ""
    approver: Annotated[Text, Meta(description="Who approved the change.")] = ""
    override: Annotated[bool, Meta(description="Whether it passed by approval and freezes.")] | UnsetType = UNSET
    batch: Annotated[UUID, Meta(description="The changes of one bulk edit.")] | UnsetType = UNSET


class AuditQuery(TimeQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of text, action, service, actor or changes.")] = ""
    actor: Annotated[Text, Meta(description="Who did it.")] = ""
    actor_kind: Annotated[ActorKind, Meta(description="Whose name `actor` is.")] | UnsetType = UNSET
    person: Annotated[Text, Meta(description="A person: what they did, and what was done to them.")] = ""
    team: Annotated[Text, Meta(description="The team whose grant allowed it.")] = ""
    cluster: Cluster = ""
    namespace: Namespace = ""
    service: Annotated[Text, Meta(description="The name of the service.")] = ""
    action: Annotated[Text, Meta(description="One action.", examples=["protect.override"])] = ""
    group: Group | UnsetType = UNSET
    outcome: Outcome | UnsetType = UNSET
    operation: Annotated[UUID, Meta(description="The operation that it is about.")] | UnsetType = UNSET


class ProtectionQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of scope or note.")] = ""


class PersonQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of the user name.")] = ""
    state: PersonState | UnsetType = UNSET


class GrantQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of the team's name or of its group at the identity provider.")] = ""
    role: Annotated[Text, Meta(description="The name of a role.")] = ""
    permission: Annotated[Permission, Meta(description="One that the role has.")] | UnsetType = UNSET
