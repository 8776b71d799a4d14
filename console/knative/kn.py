"""What kn prints, as data: rows of its lists and lines of its descriptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.knative.conditions import Condition
from console.knative.objects import Revision, Service


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """kn service list: NAME URL LATEST AGE CONDITIONS READY REASON."""

    name: str
    url: str
    latest: str
    age: str
    conditions: str
    ready: str
    reason: str


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """kn revision list: NAME SERVICE TRAFFIC TAGS GENERATION AGE CONDITIONS READY REASON."""

    name: str
    service: str
    traffic: str
    tags: str
    generation: str
    age: str
    conditions: str
    ready: str
    reason: str


def age(since: datetime | None, now: datetime) -> str:
    """Return the age as kn's descriptions have it: `20s`, `3m`, `5h`, `9d` (duration.ShortHumanDuration)."""
    if since is None:
        return "<unknown>"
    seconds = int((now - since).total_seconds())
    if seconds < -1:
        return "<invalid>"
    for size, unit in ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def list_age(since: datetime | None, now: datetime) -> str:
    """Return the age as kn's lists have it: `95s`, `3m10s`, `2d4h`, `9d` (duration.HumanDuration)."""
    seconds = int((now - since).total_seconds()) if since else 0
    minutes, hours = seconds // 60, seconds // 3600
    if since is None or seconds < 0:
        return age(since, now)
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 180:
        return _two(minutes, "m", seconds % 60 if minutes < 10 else 0, "s")
    if hours < 48:
        return _two(hours, "h", minutes % 60 if hours < 8 else 0, "m")
    days = hours // 24
    if days < 365 * 2:
        return _two(days, "d", hours % 24 if days < 8 else 0, "h")
    return _two(days // 365, "y", days % 365 if days < 365 * 8 else 0, "d")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")


def service_row(service: Service, now: datetime) -> ServiceRow:
    return ServiceRow(
        name=service.name,
        url=service.url,
        latest=service.latest_ready_revision or "",
        age=list_age(service.created_at, now),
        conditions=str(service.tally),
        ready=service.ready.status,
        reason=reason(service),
    )


def revision_row(revision: Revision, service: Service | None, now: datetime) -> RevisionRow:
    percent, tags = routed(revision.name, service)
    return RevisionRow(
        name=revision.name,
        service=revision.service_name,
        traffic=f"{percent}%" if percent else "",
        tags=",".join(tags),
        generation=str(revision.configuration_generation or ""),
        age=list_age(revision.created_at, now),
        conditions=str(revision.tally),
        ready=revision.ready.status,
        reason=reason(revision),
    )


def routed(revision: str, service: Service | None) -> tuple[int, tuple[str, ...]]:
    """Return the percent and the tags that status.traffic gives the revision."""
    mine = [target for target in service.status_traffic if target.revision == revision] if service else []
    return sum(target.percent or 0 for target in mine), tuple(target.tag for target in mine if target.tag)


def routes(service: Service) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return `routed` of each revision that status.traffic names."""
    named = dict.fromkeys(target.revision for target in service.status_traffic if target.revision)
    return {name: routed(name, service) for name in named}


def newest_first(revisions: Sequence[Revision]) -> tuple[Revision, ...]:
    """Return the revisions by generation, newest first, as kn sorts them."""
    return tuple(sorted(revisions, key=lambda revision: (-revision.configuration_generation, revision.name)))


def reason(holder: Service | Revision) -> str:
    """kn's REASON: empty when ready, else `Reason : message`."""
    return reason_by(holder.ready)


def reason_by(ready: Condition) -> str:
    """`reason`, of the Ready condition."""
    if ready.is_true or not ready.reason:
        return ""
    return f"{ready.reason} : {ready.message}" if ready.message else ready.reason
