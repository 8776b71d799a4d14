"""The query parameters of each address. An unknown name is refused, or a typing error would filter
nothing."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import QueryDict
from msgspec import UNSET, Meta, UnsetType

from console.web.api.problems import Refused

_WHERE = re.compile(r"^(.*) - at `\$\.(\w+)`$")
NO_NUL = r"^[^\x00]*$"  # PostgreSQL's texts hold none
Text = Annotated[str, Meta(max_length=200, pattern=NO_NUL)]
Limit = Annotated[int, Meta(ge=1, le=500, description="Maximum number of items.")]
Cursor = Annotated[str, Meta(max_length=1000, description="`next` from the previous page.")]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class PageQuery(Query, frozen=True):
    limit: Limit = 50
    cursor: Cursor = ""


ServiceOrder = Literal[
    "name", "namespace", "health", "age", "changed", "-name", "-namespace", "-health", "-age", "-changed"
]


RevisionOrder = Literal[
    "service", "name", "namespace", "cluster", "traffic", "generation", "state", "age",
    "-service", "-name", "-namespace", "-cluster", "-traffic", "-generation", "-state", "-age",
]  # fmt: skip


class ServiceQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of name, namespace, image, URL or label=value.")] = ""
    cluster: Text = ""
    namespace: Text = ""
    health: Literal["", "ready", "progressing", "failed"] = ""
    attention: Annotated[
        bool, Meta(description="Only services that failed, are stuck, or whose latest revision serves no traffic.")
    ] = False
    sort: Annotated[ServiceOrder, Meta(description="Prefix with `-` to reverse the order.")] = "name"


class RevisionQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of name, image or tag.")] = ""
    sort: Literal["generation", "-generation", "name", "-name", "traffic", "-traffic"] = "-generation"


class AllRevisionsQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of name, service, namespace, image, tag or reason.")] = ""
    cluster: Text = ""
    namespace: Text = ""
    health: Literal["", "ready", "progressing", "failed"] = ""
    serves: Annotated[
        Literal["", "yes", "no"], Meta(description="Whether it gets traffic; a tag alone does not count.")
    ] = ""
    sort: Annotated[RevisionOrder, Meta(description="Prefix with `-` to reverse the order.")] = "service"


class OperationQuery(PageQuery, frozen=True):
    cluster: Text = ""
    namespace: Text = ""
    name: Annotated[Text, Meta(description="The service.")] = ""
    status: Text = ""
    actor: Text = ""
    batch: UUID | UnsetType = UNSET


class AuditQuery(PageQuery, frozen=True):
    q: Annotated[Text, Meta(description="Part of text, action or service.")] = ""
    actor: Text = ""
    cluster: Text = ""
    namespace: Text = ""
    service: Text = ""
    action: Text = ""
    outcome: Text = ""
    since: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    until: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        for name, moment in (("since", self.since), ("until", self.until)):
            if isinstance(moment, datetime) and not 1970 < moment.year < 9999:
                raise ValueError(f"{name}: the year is out of range")


def read(query: QueryDict, kind: type[Query]) -> Query:
    """Return the parameters; raises Refused that names the one that is wrong."""
    for name, values in query.lists():
        if len(values) > 1:
            raise Refused("query-invalid", f"{name[:50]}: given more than once")
    try:
        return msgspec.convert(query.dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("query-invalid", _WHERE.sub(r"\2: \1", str(error))[:300]) from error
