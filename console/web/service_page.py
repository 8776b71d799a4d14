"""What the first page of a service tells beside its revisions: what serves and who made it, the way back, what is under
way, what the cluster warns of.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.knative.changes.template import SCALE_FIELDS, scale_spelling
from console.knative.objects import Service
from console.knative.pods import Pod
from console.knative.references import ServiceRef
from console.knative.traffic import shares
from console.mirror.heads import Head
from console.operations import queries
from console.operations.models import Operation
from console.operations.submitting import rollback
from console.web import change_words
from console.web.actions import service_url
from console.web.diagnosis import Diagnosis

MAX_REVISIONS = 6  # shown at least that many, of those that there are; all that have traffic or a tag
MAX_PODS = 12
MAX_SERVING = 4  # revisions that are named with their shares; the table has all


@dataclass(frozen=True, slots=True)
class WayBack:
    """The split that one press leads to (after a preview), and the address to send the press to."""

    url: str
    shares: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An operation that has not ended, and how far it is."""

    operation: Operation
    phase: str  # the one that it waits for; empty before it was written
    reached: int
    phases: int

    @property
    def percent(self) -> int:
        return 100 * self.reached // self.phases if self.phases else 0


@dataclass(frozen=True, slots=True)
class Warned:
    """What the cluster warned of. `at` is None where the moment is not known."""

    about: str
    reason: str
    message: str
    at: datetime | None = None
    count: int = 0


def serving(facts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the revisions that serve, the largest share first: what the page names before all others."""
    served = [row for row in facts if row["percent"]]
    return sorted(served, key=lambda row: (-row["percent"], -row["revision"].configuration_generation))


def chosen(service: Service, revisions: Iterable[Head]) -> frozenset[str]:
    """Return the names of the revisions of the overview: those with traffic or a tag, and some of the newest."""
    in_use = {
        target.revision for target in service.status_traffic if target.revision and (target.percent or target.tag)
    }
    others = [one.name for one in revisions if one.name not in in_use]
    return frozenset(in_use) | frozenset(others[:MAX_REVISIONS])


def way_back(ref: ServiceRef, service: Service, revisions: Sequence[Head]) -> WayBack | None:
    """Return what served before what serves now; None where nothing older can serve. `revisions`: newest first.

    That is the split from before the last change through the console, if that change gave the newest revision more;
    else the other part of a split, or the next older ready revision.
    """
    served = shares(service.status_traffic)
    known = [one for one in revisions if one.name in served]
    if not known:
        return None
    return _before_last_change(ref, service, revisions, known[0]) or _older(ref, served, revisions, known)


def _before_last_change(ref: ServiceRef, service: Service, revisions: Sequence[Head], newest: Head) -> WayBack | None:
    last = queries.last_written(ref, service.uid)
    if last is None or not rollback.is_possible(last):
        return None
    before = shares(last.seen.status_traffic)
    then = [one for one in revisions if one.name in before]
    gave_more = before.get(newest.name, 0) < shares(service.status_traffic)[newest.name]
    if len(then) < len(before) or not gave_more:
        return None
    if any(one.generation > newest.generation for one in then):
        return None  # the last change was itself a way back
    return WayBack(reverse("rollback", kwargs={"id": last.id}), before)


def _older(
    ref: ServiceRef, served: Mapping[str, int], revisions: Sequence[Head], known: Sequence[Head]
) -> WayBack | None:
    """Of a split all but its newest revision; the largest share of them counts."""
    older = sorted(known[1:], key=lambda one: -served[one.name]) or [
        one for one in revisions if one.generation < known[0].generation and one.is_ready
    ]
    return WayBack(service_url("serve", ref, revision=older[0].name), {older[0].name: 100}) if older else None


def kept_back(ref: ServiceRef, service: Service) -> WayBack | None:
    """Return how the traffic stays with what serves while the newest revision fails; None where it cannot move."""
    served = shares(service.status_traffic)
    newest = service.latest_created_revision
    if newest in served or len(served) != 1 or not service.truth.new_revision_percent:
        return None
    name = next(iter(served))
    return WayBack(service_url("serve", ref, revision=name), {name: 100})


def under_way(ref: ServiceRef, uid: str) -> list[UnderWay]:
    """Return the operations on the service that have not ended, the oldest first."""
    return [_progress(operation) for operation in queries.open_of(ref, uid)]


def _progress(operation: Operation) -> UnderWay:
    spans = queries.phase_spans(operation)
    reached = sum(1 for span in spans if span.reached_at is not None)
    waits_for = next((span.name for span in spans if span.reached_at is None), "")
    return UnderWay(operation, waits_for if reached else "", reached, len(spans))


def ordered(facts: Iterable[Mapping[str, Any]], *, limit: int = MAX_REVISIONS) -> list[Mapping[str, Any]]:
    """Return the revisions of the overview: what has traffic first, then what has a tag, then the newest."""
    rows = sorted(facts, key=lambda row: (-row["percent"], -row["revision"].configuration_generation))
    in_use = [row for row in rows if row["percent"] or row["tags"]]
    others = [row for row in rows if not (row["percent"] or row["tags"])]
    shown = others[: max(0, limit - len(in_use))]
    return sorted(in_use + shown, key=lambda row: (-row["percent"], -row["revision"].configuration_generation))


def warnings(pods: Iterable[Pod], cause: Diagnosis | None) -> list[Warned]:
    """Return what the mirror's pods wait for and how they ended, and what the cluster warned of when it failed last.

    What a container printed at its end is for its log, where values are masked.
    """
    found = [warned for pod in pods for warned in _of_pod(pod)]
    why = cause.operation.why if cause and cause.operation else None
    at = cause.operation.finished_at if cause and cause.operation else None
    return [*found, *(Warned(one.about, one.reason, one.message, at) for one in (why.warnings if why else ()))]


def _of_pod(pod: Pod) -> Iterable[Warned]:
    for state in pod.states:
        about = f"{pod.name}/{state.name}"
        if state.reason and (state.message or state.reason not in ("ContainerCreating", "PodInitializing")):
            yield Warned(about, state.reason, state.message)
        if state.ended and (state.ended.exit_code or state.ended.reason == "OOMKilled"):
            reason = f"{state.ended.reason or 'Error'} ({state.ended.exit_code})"
            yield Warned(about, reason, "", state.ended.finished_at, pod.restarts)


def scaling(service: Service) -> list[tuple[str, str]]:
    """Return the autoscaling and the limits of requests that the service sets itself; its names and values."""
    found = service.template_annotations
    spec = service.template_spec
    rows = [
        (str(change_words.SCALE[name]), change_words.amount(name, found[spelling]))
        for field, (name, _flag) in SCALE_FIELDS.items()
        if (spelling := scale_spelling(found, field)) in found
    ]
    if "containerConcurrency" in spec:
        limit = change_words.amount("containerConcurrency", str(spec["containerConcurrency"]))
        rows.append((_("Concurrency limit"), limit))
    if spec.get("timeoutSeconds"):
        rows.append((_("Request timeout"), f"{spec['timeoutSeconds']} s"))
    return rows
