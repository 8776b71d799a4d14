"""Types that fields of answers and parameters share: each is a format or an enum of the OpenAPI document."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from console.access import reviewing
from console.knative import traffic
from console.operations.models.statuses import Status

Moment = Annotated[datetime, Meta(tz=True, examples=["2026-11-24T10:00:00Z"])]  # RFC 3339, with its zone
MAX_LIMIT, USUAL_LIMIT = 500, 50  # items of a page


class ConditionStatus(StrEnum):
    """What Kubernetes says of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        """An object may have any text there; what is none of the three is not known."""
        return cls.UNKNOWN


class TrafficFollows(StrEnum):
    """What happens to a new revision of a service."""

    FOLLOWS_LATEST = traffic.Kind.FOLLOWS_LATEST.value
    PINNED = traffic.Kind.PINNED.value
    SPLIT = traffic.Kind.SPLIT.value


class OperationStatus(StrEnum):  # those of Status: msgspec cannot read the class that Django needs
    """Where an operation is, or how it ended."""

    WAITING = Status.WAITING.value
    QUEUED = Status.QUEUED.value
    RUNNING = Status.RUNNING.value
    FOLLOWING = Status.FOLLOWING.value
    SUCCEEDED = Status.SUCCEEDED.value
    NOT_SERVING = Status.NOT_SERVING.value
    UNCHANGED = Status.UNCHANGED.value
    FAILED = Status.FAILED.value
    TIMED_OUT = Status.TIMED_OUT.value
    SUPERSEDED = Status.SUPERSEDED.value
    CANCELLED = Status.CANCELLED.value
    CONFLICTED = Status.CONFLICTED.value
    REFUSED = Status.REFUSED.value
    DECLINED = Status.DECLINED.value
    EXPIRED = Status.EXPIRED.value
    STOPPED = Status.STOPPED.value


class LineLevel(StrEnum):
    """What a line of a timeline is."""

    HEADER = "header"
    PROGRESS = "progress"
    NOTICE = "notice"
    CLOSING = "closing"
    URL = "url"


class RuleEffect(StrEnum):
    """What a protection rule does to a change in its scope.

    It asks for a second person's approval, or, where another tool owns the service, warns or refuses.
    """

    APPROVAL = "approval"
    WARN = "warn"
    LOCK = "lock"


class PersonSource(StrEnum):
    """How an account came to be."""

    LOCAL = reviewing.LOCAL
    IDENTITY_PROVIDER = reviewing.PROVIDER
    INVITED = reviewing.INVITED
    FIRST_ADMINISTRATOR = reviewing.FIRST
    DEMO = reviewing.DEMO


class PersonState(StrEnum):
    """Which people a list shows."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ADMINISTRATORS = "administrators"
