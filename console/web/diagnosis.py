"""What ails a service now, for its page: the cause in the words of an operation's page, and what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from console.knative import root_causes
from console.knative.causes import Code
from console.knative.objects import Health, Revision, Service
from console.knative.pods import Pod
from console.knative.references import ServiceRef
from console.knative.root_causes import Finding
from console.knative.traffic import shares
from console.mirror import heads, read
from console.operations import queries
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.web import causes
from console.web.actions import Action

# The pages on which a cause can be mended, by the names of console.web.actions, the likeliest first.
NEXT_BY_CAUSE = {
    Code.IMAGE_MISSING: ("image", "settings"),
    Code.CRASH: ("env", "image"),
    Code.EXITS: ("settings", "image"),
    Code.OUT_OF_MEMORY: ("settings",),
    Code.LIVENESS: ("settings",),
    Code.PROBE: ("settings",),
    Code.CANNOT_START: ("settings", "image"),
    Code.DEADLINE: ("settings",),
    Code.QUOTA: ("settings", "operate"),
    Code.UNSCHEDULABLE: ("settings",),
    Code.EVICTED: ("settings",),
    Code.VOLUME: ("settings",),
    Code.SECRET_MISSING: ("env", "settings"),
    Code.CONFIG_MAP_MISSING: ("env", "settings"),
    Code.REVISION_MISSING: ("traffic",),
    Code.REVISION_NOT_OWNED: ("traffic",),
    Code.INGRESS: ("traffic",),
}
_STEPS = {
    "image": _("Fix the image"),
    "env": _("Edit the variables"),
    "settings": _("Edit the settings"),
    "operate": _("Change the scale"),
    "traffic": _("Change the split"),
}
_HAS_LOGS = (Code.CRASH, Code.EXITS, Code.OUT_OF_MEMORY, Code.LIVENESS, Code.PROBE, Code.CANNOT_START)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The cause in words. `revision` has logs with more details; `operation` is the one that ended with it.

    `is_served`: the newest revision, which it is about, gets requests.
    """

    code: Code
    text: str
    raw: str
    revision: str
    operation: Operation | None
    is_served: bool


def diagnose(ref: ServiceRef, service: Service) -> Diagnosis | None:
    """Return what keeps the newest spec from being served, by the mirror; None where nothing is wrong."""
    found = finding(ref, service)
    if found is None:
        return None
    failed = queries.of_service(ref).filter(uid=service.uid, status__in=(Status.FAILED, Status.TIMED_OUT))
    newest = service.latest_created_revision or ""
    return Diagnosis(
        found.code,
        causes.text(found.cause),
        _raw(found, service),
        newest if found.code in _HAS_LOGS else "",
        failed.filter(generation=service.generation).first(),
        newest in shares(service.status_traffic),
    )


def diagnose_revision(ref: ServiceRef, service: Service, revision: Revision, pods: Iterable[Pod]) -> Diagnosis | None:
    """Return why the revision does not work, by the mirror; None where nothing is wrong. `pods` are its own."""
    found = root_causes.of_revision(revision, pods)
    if found is None:
        return None
    failed = queries.of_service(ref).filter(uid=service.uid, status__in=(Status.FAILED, Status.TIMED_OUT))
    is_shown = found.is_output or any(one.message and one.message in found.cause.raw for one in revision.conditions)
    return Diagnosis(
        found.code,
        causes.text(found.cause),
        "" if is_shown else found.cause.raw,
        "",  # the page has its own link to the logs
        failed.filter(revision=revision.name).first(),
        revision.name in shares(service.status_traffic),
    )


def finding(ref: ServiceRef, service: Service) -> Finding | None:
    """Return what keeps the newest spec from being served, by the mirror; None where nothing is wrong."""
    if service.health is Health.READY:
        return None
    newest = heads.named(ref, filter(None, [service.latest_created_revision]))
    return root_causes.at_present(service, revisions=newest, route=read.route(ref), pods=read.pods(ref))


def next_steps(found: Diagnosis, actions: Iterable[Action]) -> list[Action]:
    """Return those of the actions that can mend the cause and that the person may use, named by what they do here."""
    allowed = {
        action.name: replace(action, label=str(_STEPS[action.name]))
        for action in actions
        if action.allowed and action.name in _STEPS
    }
    return [allowed[name] for name in NEXT_BY_CAUSE.get(found.code, ()) if name in allowed]


def _raw(finding: Finding, service: Service) -> str:
    """The API's own message, unless the table of conditions shows it already.

    What a container printed is for its log, where values are masked; only what the Ready condition repeats of it,
    which the page shows anyway, is beside the cause: it often names it.
    """
    if finding.is_output:
        by_conditions = root_causes.of_service(service)
        return service.ready.message if by_conditions and by_conditions.code is finding.code else ""
    is_shown = any(condition.message and condition.message in finding.cause.raw for condition in service.conditions)
    return "" if is_shown and finding.code is not Code.UNKNOWN else finding.cause.raw
