"""What the log keeps of the five tables that decide on rights: a row each, as JSON. Pure.

A row names others by their ids, which never change; names are those of the time. A row of an entry replaces the former
one of its id, so that nothing has to be known of what was before.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from console.knative.paths import FieldPath

PREFIX = "rights"  # begins the paths of rows among the differences of an entry


@dataclass(frozen=True, slots=True)
class Person:
    """An account. An administrator has every right without a grant; who is not active has none."""

    id: int
    name: str
    active: bool
    administrator: bool

    @property
    def is_active(self) -> bool:
        return self.active

    @property
    def is_superuser(self) -> bool:
        return self.administrator


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    id: int
    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `group` is the identity provider's whose members it takes."""

    id: int
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a team, `until` a time (ISO 8601, UTC; None: for good)."""

    id: int
    person: int
    team: int
    owner: bool
    from_group: bool
    until: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for a team where the patterns and the labels match."""

    id: int
    team: int
    role: int
    cluster: str
    namespace: str
    selector: str


Row = Person | Role | Team | Membership | Grant
KINDS: dict[str, type[Row]] = {
    "person": Person,
    "role": Role,
    "team": Team,
    "membership": Membership,
    "grant": Grant,
}
_KIND_OF = {row: kind for kind, row in KINDS.items()}
Key = tuple[str, int]


class NotARow(Exception):
    """The text is not a row: a redaction replaced it."""


def key_of(row: Row) -> Key:
    return _KIND_OF[type(row)], row.id


def path(key: Key) -> FieldPath:
    """Return the field under which an entry has the row."""
    return (PREFIX, key[0], str(key[1]))


def key_in(field: str) -> Key | None:
    """Return of which row an entry's field is; None for every other field."""
    prefix, _, rest = field.partition(".")
    kind, _, number = rest.partition(".")
    return (kind, int(number)) if prefix == PREFIX and kind in KINDS and number.isdecimal() else None


def is_of_rights(field: str) -> bool:
    """Whether a field of an entry is kept for programs: its words are in the entry's other fields."""
    return field.startswith(f"{PREFIX}.")


def text(row: Row, entry: int | None = None) -> str:
    """Return the row as JSON, without its id. A snapshot says of which `entry` it is, where that is known."""
    facts = {name: value for name, value in asdict(row).items() if name != "id"} | ({"entry": entry} if entry else {})
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def read(key: Key, written: str) -> Row:
    """Return the row that `text` wrote; raises NotARow. Facts of a later version are passed over."""
    kind = KINDS[key[0]]
    try:
        facts: dict[str, Any] = json.loads(written)
        known = {one.name: facts[one.name] for one in fields(kind) if one.name != "id"}
    except (ValueError, TypeError, KeyError) as error:
        raise NotARow from error
    if "permissions" in known:
        known["permissions"] = tuple(known["permissions"])
    return kind(id=key[1], **known)


def origin(written: str) -> int | None:
    """Return the entry that a snapshot names as the row's; the text is one that `read` reads."""
    found: int | None = json.loads(written).get("entry")
    return found
