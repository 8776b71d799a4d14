"""What to do after an operation: one thing first, by how it ended, and the rest beside it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.permissions import Permission
from console.knative.changes import KINDS, Act
from console.knative.objects import Service
from console.knative.traffic import TrafficTarget
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.web.actions import service_url
from console.web.diagnosis import NEXT_BY_CAUSE
from console.web.traffic_words import roll_back_label

_NEEDED = {"traffic": Permission.TRAFFIC, "operate": Permission.OPERATE}  # of a page; DEPLOY for all others
_PRIMARY: Mapping[Status, tuple[str, ...]] = {
    Status.NOT_SERVING: ("route",),
    Status.FAILED: ("fix", "retry", "rollback"),
    Status.TIMED_OUT: ("fix", "retry", "rollback"),
    Status.REFUSED: ("fix", "retry"),
    Status.CONFLICTED: ("fix", "retry"),
    Status.SUPERSEDED: ("newer",),
    Status.CANCELLED: ("retry",),
    Status.DECLINED: ("fix", "retry"),
    Status.EXPIRED: ("retry",),
    Status.STOPPED: ("retry",),
}
NOWHERE: Mapping[str, int] = {}  # of a change that no roll back undoes


@dataclass(frozen=True, slots=True)
class Step:
    """A link, or a button that posts. `hint` says what it does before it is done."""

    name: str
    label: str
    icon: str
    url: str
    is_post: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """The first is the primary one; None while the operation has not ended."""

    primary: Step | None
    others: tuple[Step, ...]


def offer(
    operation: Operation,
    may: Collection[str],
    permissions: Collection[Permission],
    service: Service | None = None,
    back: Mapping[str, int] = NOWHERE,
) -> Offer:
    """Return the next steps. `may` names those of cancel, retry and rollback that are possible and allowed.

    `service` as it is now: where the new revision has a tag, it can be tried there. `back` is the split to which a
    roll back leads, percent by revision.
    """
    steps = (*_trying(operation, service), *_steps(operation, may, permissions, service, back))
    found = {step.name: step for step in steps}
    if operation.is_open:
        return Offer(None, tuple(found.values()))
    wanted = (*_PRIMARY.get(Status(operation.status), ()), "service", "services")
    primary = next(found[name] for name in wanted if name in found)
    return Offer(primary, tuple(step for step in found.values() if step is not primary))


def _steps(
    operation: Operation,
    may: Collection[str],
    permissions: Collection[Permission],
    service: Service | None,
    back: Mapping[str, int],
) -> list[Step]:
    id, found = str(operation.id), []
    if "cancel" in may:
        found.append(Step("cancel", _("Cancel"), "x-circle", reverse("cancel", args=[id]), is_post=True))
    if not operation.is_open and not operation.deletes_service:
        found += _of_service(operation, permissions, service)
    if "retry" in may:
        found.append(Step("retry", _("Retry"), "arrow-repeat", reverse("retry", args=[id]), is_post=True))
    if "rollback" in may and not _splits_as_before(operation, service):
        hint = _("Restores the traffic split from before this change. You see a preview first.")
        url = reverse("rollback", args=[id])
        found.append(Step("rollback", roll_back_label(back), "arrow-counterclockwise", url, is_post=True, hint=hint))
    if operation.deletes_service and not operation.is_open:
        found.append(Step("services", _("View services"), "list-ul", reverse("services")))
    else:
        found.append(Step("service", _("View service"), "box", service_url("service", operation.ref)))
    return found


def _splits_as_before(operation: Operation, service: Service | None) -> bool:
    """Whether a roll back would change nothing: the split names its revisions, and they are those from before."""
    split = service.spec_traffic if service else ()
    is_named = bool(split) and not any(target.follows_latest for target in split)
    return is_named and split == operation.seen.spec_traffic


def _trying(operation: Operation, service: Service | None) -> Iterator[Step]:
    """The tag URLs of the revision that was made."""
    for target in _tagged(operation, service):
        url = target.url or ""
        if url.startswith(("http://", "https://")):
            label = _("Open %(tag)s") % {"tag": target.tag}
            yield Step(f"try-{target.tag}", label, "box-arrow-up-right", url, hint=url)


def _tagged(operation: Operation, service: Service | None) -> list[TrafficTarget]:
    targets = service.status_traffic if service and operation.revision else ()
    return [target for target in targets if target.tag and target.revision == operation.revision]


def _testing(operation: Operation, service: Service | None) -> Step:
    """Requests to the tag of a revision that has no traffic; else to the service."""
    tags = [str(target.tag) for target in _tagged(operation, service)] if operation.is_held_back else []
    query = f"?{urlencode({'tag': tags[0]})}" if tags else ""
    return Step("access-test", _("Test requests"), "broadcast", service_url("access-test", operation.ref) + query)


def _of_service(operation: Operation, permissions: Collection[Permission], service: Service | None) -> list[Step]:
    ref, found = operation.ref, []
    if page := _page_to_fix(operation, permissions):
        found.append(Step("fix", _("Fix and try again"), "pencil-square", service_url(page, ref)))
    if operation.makes_revision and operation.revision:
        url = service_url("logs", ref, revision=operation.revision)
        found.append(Step("logs", _("Logs"), "terminal", url))
    if Permission.TRAFFIC in permissions:
        is_waiting = operation.status == Status.NOT_SERVING and operation.revision
        split = f"{service_url('traffic', ref)}?all={operation.revision}" if is_waiting else service_url("traffic", ref)
        found.append(Step("route", _("Route traffic"), "signpost-split", split))
    found.append(_testing(operation, service))
    if newer := getattr(operation.why.facts, "operation", "") if operation.why else "":
        found.append(Step("newer", _("View the newer change"), "arrow-right", reverse("operation", args=[newer])))
    return found


def _page_to_fix(operation: Operation, permissions: Collection[Permission]) -> str:
    """Where the cause can be mended, else where the change was made; empty after a success."""
    if "fix" not in _PRIMARY.get(Status(operation.status), ()):
        return ""
    by_cause = NEXT_BY_CAUSE.get(operation.why.code, ()) if operation.why else ()
    pages = (*by_cause, *_pages_of_kind(operation.kind))
    return next((page for page in pages if _NEEDED.get(page, Permission.DEPLOY) in permissions), "")


def _pages_of_kind(name: str) -> tuple[str, ...]:
    """The pages on which the input of a kind of change is corrected, for those who may deploy and who may operate."""
    kind = KINDS.get(name)
    return ("traffic",) if kind and kind.act in (Act.ROUTE, Act.ROLL_BACK) else ("deploy", "operate")
