"""Writing the script's events: operations with their timeline and audit entries, tests, entries; oldest first."""

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from django.db import transaction

from console import audit
from console.access import snapshots
from console.access.actors import Actor
from console.access.models import User
from console.audit import Outcome
from console.demo.past import Past
from console.demo.script import EVENTS, LATEST, SPLITS_BEFORE, Event, Note, NotWritten, Release, Requests, Route
from console.knative import changes, kn_command, root_causes, traffic
from console.knative.causes import Cause, Code
from console.knative.changes import Change, EnvEntry, SetEnv, Verb, apply_to
from console.knative.diff import FieldChange
from console.knative.objects import Revision, Service
from console.knative.progress import Follow, Phase, closing, expected_phases
from console.knative.references import ServiceRef
from console.operations.models import Operation, TimelineLine
from console.operations.models.statuses import SUCCESSFUL, Status
from console.request_tests.models import AccessTest
from console.sealing import seal

_SEED = 20261126  # the same durations in every demo
_SECONDS = {  # from one phase to the next, about: as the sandbox takes
    Phase.ACCEPTED: 0.0,
    Phase.REVISION_CREATED: 0.3,
    Phase.IMAGE_RESOLVED: 0.4,
    Phase.PODS_STARTING: 0.1,
    Phase.READY: 1.6,
    Phase.TRAFFIC_MOVED: 0.2,
    Phase.LOAD_BALANCER: 0.4,
}
_LINES = {  # what kn prints when a phase is reached (tests/knative/test_progress.py)
    Phase.REVISION_CREATED: "The Configuration is still working to reflect the latest desired specification.",
    Phase.READY: "Traffic is not yet migrated to the latest revision.",
    Phase.TRAFFIC_MOVED: "Ingress has not yet been reconciled.",
    Phase.LOAD_BALANCER: "Ready to serve.",
}
_FAILED_AFTER = 4.2  # seconds


@dataclass
class Writer:
    """Writes events in their order and keeps what each service has become."""

    cluster: str
    now: datetime
    services: Mapping[str, Service]  # by namespace/name
    revisions: Mapping[str, Mapping[int, Revision]]
    users: Mapping[str, User]
    past: dict[str, Past] = field(default_factory=dict)
    random: Random = field(default_factory=lambda: Random(_SEED))  # noqa: S311 - durations, no secrets

    def write(self, event: Event) -> None:
        """Write one event; all of it is committed together."""
        with transaction.atomic():
            _write(event, self)

    def at(self, event: Event) -> datetime:
        return self.now - event.ago

    def ref(self, event: Event) -> ServiceRef | None:
        return ServiceRef(self.cluster, *event.service.split("/", 1)) if event.service else None

    def actor(self, event: Event) -> Actor:
        user = self.users.get(event.who)
        return Actor(user.pk if user else None, event.who, "127.0.0.1" if user else "")

    def past_of(self, event: Event) -> Past:
        """The service as the event found it."""
        if event.service not in self.past:
            self.past[event.service] = self._first(event)
        return self.past[event.service]

    def _first(self, event: Event) -> Past:
        mine = [one for one in EVENTS if one.service == event.service]
        changed = [one for one in mine if isinstance(one, Release | Route)]
        made = [one.revision for one in mine if isinstance(one, Release)]
        newest = min(made) - 1 if made else max(self.revisions[event.service])
        service = self.services[event.service]
        split = SPLITS_BEFORE.get(event.service, LATEST)
        return Past(service, self.revisions[event.service], newest, service.generation - len(changed), split)


def write_all(writer: Writer) -> int:
    """Write the whole script, after the rights that its people have; returns how many events it has."""
    with transaction.atomic():
        snapshots.write(snapshots.BEGAN, at=min(map(writer.at, EVENTS)))
    for event in EVENTS:
        writer.write(event)
    return len(EVENTS)


@functools.singledispatch
def _write(event: Event, writer: Writer) -> None:
    raise TypeError(type(event))


@_write.register
def _(event: Note, writer: Writer) -> None:
    outcome = Outcome.REFUSED if event.action.endswith(".refused") else Outcome.SUCCEEDED
    ref = writer.ref(event) or (ServiceRef(writer.cluster, "", "") if event.action.startswith("outside") else None)
    audit.record(
        event.action, actor=writer.actor(event), outcome=outcome, ref=ref, text=event.text, at=writer.at(event)
    )


@_write.register
def _(event: Release, writer: Writer) -> None:
    before = writer.past_of(event)
    after = before.deployed(event.revision)
    name = after.revisions[event.revision].name
    _operation(event, writer, before, after, before.change_to(event.revision), event.status, revision=name)
    writer.past[event.service] = after


@_write.register
def _(event: Route, writer: Writer) -> None:
    before = writer.past_of(event)
    after = before.routed(event.split)
    _operation(event, writer, before, after, before.change_of(event.split), Status.SUCCEEDED)
    writer.past[event.service] = after


@_write.register
def _(event: NotWritten, writer: Writer) -> None:
    before = writer.past_of(event)
    container = before.service.containers[0].name
    change = SetEnv(container, (EnvEntry("LOG_LEVEL", "warning"),))
    _operation(event, writer, before, before, change, event.status, cause=Cause(Code.CONFLICT))


@_write.register
def _(event: Requests, writer: Writer) -> None:
    """Tests answer by the split of that moment, as far as chance lets them."""
    ref, at = writer.ref(event), writer.at(event)
    wanted = traffic.shares(writer.past_of(event).service.status_traffic)
    answers = writer.random.choices(list(wanted), list(wanted.values()), k=event.count - event.failed)
    by_revision = {name: answers.count(name) for name in wanted if name in answers}
    audit.record(
        "view.AccessTest",
        actor=writer.actor(event),
        ref=ref,
        outcome=Outcome.REQUESTED,
        text=f"{event.count} requests",
        at=at,
    )
    audit.record(
        "view.AccessTestEnd",
        actor=writer.actor(event),
        ref=ref,
        outcome=Outcome.SUCCEEDED,
        text=f"{event.count - event.failed} of {event.count} answered",
        at=at,
    )
    AccessTest.objects.create(
        **_place(ref),
        user=writer.users[event.who],
        url=writer.services[event.service].url,
        wanted=wanted,
        count=event.count,
        sent=event.count,
        failed=event.failed,
        by_revision=by_revision,
        by_body={"HTTP 503": event.failed} if event.failed else {},
        by_status={200: event.count - event.failed, **({503: event.failed} if event.failed else {})},
        median=round(writer.random.uniform(0.004, 0.012), 4),
        slowest=round(writer.random.uniform(0.05, 0.9), 4),
        started_at=at,
        finished_at=at + timedelta(seconds=2),
    )


def _place(ref: ServiceRef | None) -> dict[str, str]:
    return asdict(ref) if ref else {}


def _operation(
    event: Event,
    writer: Writer,
    before: Past,
    after: Past,
    change: Change,
    status: Status,
    *,
    revision: str = "",
    cause: Cause | None = None,
) -> None:
    """The operation as it would have been kept, with its timeline and both of its entries."""
    seen, at = before.service, writer.at(event)
    applied = apply_to(change, seen)
    command = kn_command.command(change, seen, applied.after)
    is_written = after is not before
    phases = _phases(writer, status, makes_revision=bool(revision)) if is_written else {}
    seconds = _FAILED_AFTER if status is Status.FAILED else max(phases.values(), default=0.0) + 0.05
    cause = cause or _cause(status, writer.services[event.service], after)
    user, actor = writer.users[event.who], writer.actor(event)
    operation = Operation(
        id=uuid4(),
        **_place(writer.ref(event)),
        uid=before.now.uid,
        kind=changes.name_of(change),
        sealed_change=seal(changes.dump(change)),
        sealed_seen=seal(dict(seen.raw)),
        changes=[asdict(row) for row in applied.difference],
        kn=command.text,
        kn_limit=command.limit or "",
        reason=event.reason,
        user=user,
        actor=actor.name,
        ip=actor.ip,
        status=status,
        makes_revision=bool(revision),
        base_version="1" if seen.raw else "",
        generation=after.generation if is_written else None,
        is_written=is_written,
        revision=revision,
        phases=phases,
        cause=cause.to_json() if cause else {},
        submitted_at=at,
        written_at=at + timedelta(seconds=0.05) if is_written else None,
        finished_at=at + timedelta(seconds=seconds),
        elapsed=seconds,
        saved_at=at + timedelta(seconds=seconds),
    )
    operation.save(force_insert=True)
    TimelineLine.objects.bulk_create(_lines(operation, after, change))
    _entries(operation, change, applied.difference, actor, seen)


def _entries(operation: Operation, change: Change, rows: tuple[FieldChange, ...], actor: Actor, seen: Service) -> None:
    common: dict[str, Any] = {"actor": actor, "ref": operation.ref, "operation": operation.id}
    audit.record(
        f"{change.permission}.{operation.kind}",
        **common,
        labels=seen.labels,
        outcome=Outcome.REQUESTED,
        changes=rows,
        text=operation.reason,
        at=operation.submitted_at,
    )
    code = operation.why.name if operation.why else ""
    audit.record(
        f"operation.{operation.status}",
        **common,
        outcome=Outcome.SUCCEEDED if operation.status in SUCCESSFUL else Outcome.FAILED,
        text=" ".join(filter(None, (operation.kind, operation.revision, code))),
        at=operation.finished_at,
    )


def _phases(writer: Writer, status: Status, *, makes_revision: bool) -> dict[str, float]:
    """Seconds since the submission; a failure got as far as its revision."""
    found, at = {}, 0.0
    for phase in expected_phases(makes_revision):
        at += _SECONDS[phase] * writer.random.uniform(0.8, 1.3)
        if status is Status.FAILED and phase not in (Phase.ACCEPTED, Phase.REVISION_CREATED):
            break
        found[phase.value] = round(at, 3)
    return found


def _cause(status: Status, service: Service, after: Past) -> Cause | None:
    """Why it ended so: of a failure what the service shows now, for it is its newest change."""
    if status is Status.NOT_SERVING:
        return Cause(Code.NOT_SERVING)
    if status is not Status.FAILED:
        return None
    found = root_causes.at_present(service, revisions=after.revisions.values(), route=None, pods=())
    return found.cause if found else Cause(Code.UNKNOWN)


def _lines(operation: Operation, after: Past, change: Change) -> list[TimelineLine]:
    """kn's lines. A failure ends with the message of the Ready condition."""
    verb = "Creating service" if change.verb is Verb.CREATE else "Updating Service"
    told = [(0.05, "header", f"{verb} '{operation.name}' in namespace '{operation.namespace}':")]
    told += [(at, "progress", _LINES[Phase(name)]) for name, at in operation.phases.items() if Phase(name) in _LINES]
    if operation.status == Status.FAILED:
        told.append((operation.elapsed, "progress", after.now.ready.message))
    if operation.status in SUCCESSFUL:
        follow = Follow(after.generation, makes_revision=operation.makes_revision)
        sentence, url = closing(after.service, follow, created=change.verb is Verb.CREATE)
        told += [(operation.elapsed, "closing", sentence), (operation.elapsed, "url", url)]
    shown = told if operation.is_written else []
    return [
        TimelineLine(operation=operation, sequence=number, elapsed=at, level=level, text=text)
        for number, (at, level, text) in enumerate(shown, start=1)
    ]
