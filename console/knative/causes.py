"""Why an operation ended as it did: a code with typed facts, and what a cluster said. Words: console.web.causes.

To add a cause: a code here, its facts in `_FACTS` if its text names any, and its text in console.web.causes. A test
walks the enum in every language. How the cause of a failed service is found is in console.knative.root_causes.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec

from console.knative.problems import Problem

MAX_RAW = 4000  # characters of a cluster's own message that are kept


class Code(StrEnum):
    """Every reason for which an operation ends. The values are stored: one that is renamed is not read any more."""

    # What fails in the cluster (console.knative.root_causes)
    IMAGE_MISSING = "image-missing"
    CRASH = "crash"
    EXITS = "exits"
    OUT_OF_MEMORY = "out-of-memory"
    LIVENESS = "liveness"
    PROBE = "probe"
    CANNOT_START = "cannot-start"
    DEADLINE = "deadline"
    QUOTA = "quota"
    UNSCHEDULABLE = "unschedulable"
    EVICTED = "evicted"
    VOLUME = "volume"
    SECRET_MISSING = "secret-missing"  # noqa: S105 - a code, not a password
    CONFIG_MAP_MISSING = "config-map-missing"
    REVISION_MISSING = "revision-missing"
    REVISION_NOT_OWNED = "revision-not-owned"
    INGRESS = "ingress"
    UNKNOWN = "unknown"
    # What the cluster answers to a write
    REFUSED = "refused"
    POLICY = "policy"
    EXISTS_ALREADY = "exists-already"
    NOT_FOUND = "not-found"
    FORBIDDEN = "forbidden"
    UNAUTHORIZED = "unauthorized"
    CLUSTER_AWAY = "cluster-away"
    CLUSTER_FAILING = "cluster-failing"
    CLUSTER_BUSY = "cluster-busy"
    CLUSTER_UNKNOWN = "cluster-unknown"
    CLUSTER = "cluster"
    # What others did in the meantime
    CONFLICT = "conflict"
    SUPERSEDED = "superseded"
    SUPERSEDED_WHEN_READY = "superseded-when-ready"
    DELETED_MEANWHILE = "deleted-meanwhile"
    RECREATED_MEANWHILE = "recreated-meanwhile"
    # What a success still has to say
    NOT_SERVING = "not-serving"
    HELD_BACK = "held-back"  # without traffic, as its author asked
    NOT_READY = "not-ready"
    # Rights and protection
    NOT_ALLOWED = "not-allowed"
    LABEL_DECIDES = "label-decides"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FROZEN = "frozen"
    LOCKED = "locked"
    PROTECTED_MEANWHILE = "protected-meanwhile"
    REASON_MISSING = "reason-missing"
    NOT_AS_APPROVED = "not-as-approved"
    APPROVER_GONE = "approver-gone"
    # The console's own limits
    INPUT = "input"  # the change cannot be made of the service as it is now: stored under its Problem's code
    NEVER_WRITTEN = "never-written"
    STILL_DELETING = "still-deleting"
    WRITTEN_LATE = "written-late"
    DATABASE_AWAY = "database-away"
    UNDECRYPTABLE = "undecryptable"  # what was typed: its key is lost
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a cause is about, for its text. Empty or None: not known. This class itself: there is nothing to know."""

    def to_json(self) -> dict[str, Any]:
        """Return what is known as JSON data."""
        return _without_empty(msgspec.to_builtins(self))


@dataclass(frozen=True, slots=True)
class Image(Facts):
    """The image that cannot be pulled."""

    image: str = ""


@dataclass(frozen=True, slots=True)
class Exit(Facts):
    """How which container ended."""

    exit_code: int | None = None
    container: str = ""


@dataclass(frozen=True, slots=True)
class Named(Facts):
    """The name of an object of the cluster: a Secret, a ConfigMap, a webhook; `key` within it."""

    name: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Quota(Facts):
    """The quota that is exceeded."""

    quota: str = ""


@dataclass(frozen=True, slots=True)
class RevisionName(Facts):
    """The revision that is missing."""

    revision: str = ""


@dataclass(frozen=True, slots=True)
class RevisionOfAnother(RevisionName):
    """The revision, and the service that it belongs to; empty where it is of none."""

    service: str = ""


@dataclass(frozen=True, slots=True)
class Writer(Facts):
    """Who wrote to the service, when, and the operation when it was made with this console."""

    who: str = ""
    at: datetime | None = None
    operation: UUID | None = None


@dataclass(frozen=True, slots=True)
class Late(Writer):
    """`was`: the code of the end that a late write belied. The rest are the facts of that end."""

    was: str = ""


@dataclass(frozen=True, slots=True)
class Lacks(Facts):
    """The permission that somebody lacks."""

    permission: str = ""


@dataclass(frozen=True, slots=True)
class LabelLacks(Facts):
    """Labels that decide who may do what, and the permissions that it takes to set them; each separated by commas."""

    labels: str = ""
    permissions: str = ""


@dataclass(frozen=True, slots=True)
class Approver(Facts):
    """Who decided, and what they said."""

    who: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class FreezeEnd(Facts):
    """Until when a freeze lasts, on the clocks of its zone, and its note."""

    until: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class OwnedBy(Facts):
    """The tools that own the service, and the note of the rule that locks it."""

    tool: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Input(Facts):
    """What is wrong with the change."""

    problem: Problem

    def to_json(self) -> dict[str, Any]:
        """Return the facts of the problem."""
        return dict(self.problem.facts)


_FACTS: Mapping[Code, type[Facts]] = MappingProxyType(
    {
        Code.IMAGE_MISSING: Image,
        Code.CRASH: Exit,
        Code.EXITS: Exit,
        Code.QUOTA: Quota,
        Code.SECRET_MISSING: Named,
        Code.CONFIG_MAP_MISSING: Named,
        Code.POLICY: Named,
        Code.REVISION_MISSING: RevisionName,
        Code.REVISION_NOT_OWNED: RevisionOfAnother,
        Code.CONFLICT: Writer,
        Code.SUPERSEDED: Writer,
        Code.SUPERSEDED_WHEN_READY: Writer,
        Code.WRITTEN_LATE: Late,
        Code.NOT_ALLOWED: Lacks,
        Code.LABEL_DECIDES: LabelLacks,
        Code.DECLINED: Approver,
        Code.APPROVER_GONE: Approver,
        Code.FROZEN: FreezeEnd,
        Code.LOCKED: OwnedBy,
        Code.INPUT: Input,
    }
)


@dataclass(frozen=True, slots=True)
class WarningEvent:
    """A warning event of the time at which it failed."""

    about: str = ""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod as it was when the operation ended; `ready` as kubectl writes it (`1/2`)."""

    name: str = ""
    phase: str = ""
    ready: str = ""


@dataclass(frozen=True, slots=True)
class Collision:
    """A field that somebody else changed: its value at the preview, and theirs. None: not set."""

    field: str = ""
    was: str | None = None
    theirs: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it ended: a code for the words, the facts to fill them, and what was read at that moment.

    `raw` is the cluster's own message, `logs` the last lines of the container. Raises TypeError for facts that are
    not those of the code.
    """

    code: Code
    raw: str = ""
    facts: Facts = field(default_factory=Facts)
    logs: str = ""
    warnings: tuple[WarningEvent, ...] = ()
    pods: tuple[PodState, ...] = ()
    conflicts: tuple[Collision, ...] = ()

    def __post_init__(self) -> None:
        wanted = facts_type(self.code)
        if type(self.facts) is Facts and wanted is not Facts:
            object.__setattr__(self, "facts", wanted())
        elif type(self.facts) is not wanted:
            raise TypeError(f"{self.code} has facts of {wanted.__name__}, not {type(self.facts).__name__}")

    @property
    def name(self) -> str:
        """The code as it is stored, searched for and given out by the API."""
        return self.facts.problem.code if isinstance(self.facts, Input) else self.code.value

    def redacted(self, redact: Callable[[str], str]) -> "Cause":
        """Return the cause with every text in it redacted."""
        return replace(self, **{one.name: _redacted(getattr(self, one.name), redact) for one in fields(self)})

    def to_json(self) -> dict[str, Any]:
        """Return what is stored; what is empty is left out."""
        stored = {one.name: msgspec.to_builtins(getattr(self, one.name)) for one in fields(self) if one.name != "facts"}
        return _without_empty({**stored, "code": self.name, "facts": self.facts.to_json()})


def facts_type(code: Code) -> type[Facts]:
    """Return the class of the facts that a cause with this code has."""
    return _FACTS.get(code, Facts)


def of_problem(problem: Problem) -> Cause:
    """Return the cause for a change that cannot be made of the service as it is now."""
    return Cause(Code.INPUT, facts=Input(replace(problem, facts={name: str(f) for name, f in problem.facts.items()})))


def from_json(stored: Mapping[str, Any]) -> Cause | None:
    """Return the cause that `to_json` wrote, in this version or an earlier one; None where none was stored."""
    if not (name := stored.get("code")):
        return None
    found = stored.get("facts") or {}
    is_problem = name not in _CODES
    code = Code.INPUT if is_problem else Code(name)
    return Cause(
        code,
        raw=str(stored.get("raw", "")),
        facts=Input(Problem(str(name), found)) if is_problem else _facts(facts_type(code), found),
        logs=str(stored.get("logs", "")),
        warnings=msgspec.convert(stored.get("warnings", ()), tuple[WarningEvent, ...]),
        pods=msgspec.convert(stored.get("pods", ()), tuple[PodState, ...]),
        conflicts=msgspec.convert(stored.get("conflicts", ()), tuple[Collision, ...]),
    )


_CODES = frozenset(map(str, Code)) - {Code.INPUT}


def _facts(kind: type[Facts], stored: Mapping[str, Any]) -> Facts:
    """The facts that this version knows. Earlier ones wrote numbers as texts, and may have masked one: no fact."""
    found: dict[str, Any] = {}
    for name in [one.name for one in fields(kind) if one.name in stored]:
        with contextlib.suppress(msgspec.ValidationError):
            found[name] = getattr(msgspec.convert({name: stored[name]}, kind, strict=False), name)
    return kind(**found)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Problem):  # its code and field are the console's own
        return replace(value, facts={name: _redacted(fact, redact) for name, fact in value.facts.items()})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _redacted(getattr(value, one.name), redact) for one in fields(value)})
    return tuple(_redacted(one, redact) for one in value) if isinstance(value, tuple) else value


def _without_empty(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in ("", None, [], (), {})}
