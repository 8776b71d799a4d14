"""What would happen: the difference, the effect on traffic, and what the cluster itself says to a dry run."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from console import database
from console.access.authorization import Rights, rights_of
from console.access.models import User
from console.access.refusals import NotAllowed
from console.cluster.errors import ClusterError, Conflict, NotFound, Refused, Uncertain
from console.cluster.gateway import Gateway
from console.cluster.transport import ATTEMPTS
from console.knative import changes as knative_changes
from console.knative import effects, kn_command, limits, traffic
from console.knative.changes import Change, ChangeRefused, CreateService, DeleteRevision, DeleteService
from console.knative.diff import FieldChange, creates_revision, diff, differ
from console.knative.kn_command import KnCommand
from console.knative.objects import Owner, Service
from console.knative.problems import Problem
from console.knative.redaction import mask_env, redact_text, seal_env, secrets_of, without_digests
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTruth
from console.operations import patches
from console.operations.gateways import gateway_for
from console.operations.models import Preview
from console.operations.rights.needs import Needs, missing, needs_of, refuse_another_object, refuse_unless_allowed
from console.sealing import seal

RETENTION = timedelta(hours=2)
MAX_PER_PERSON = 100  # beyond these the oldest is forgotten; one bulk edit makes 50
MAX_RAW = 20_000  # characters of a refusal that are shown
_DIGESTS = b"kn"  # no secret: what is hidden is compared by digests, which are taken away
READ_ATTEMPTS = 4
TIMEOUT = 5.0  # seconds
DRY_RUN_SECONDS = 10.0  # that a person waits for the cluster's own word; admission may take longer


class Untested(StrEnum):
    """Why there is no result from the cluster: what is shown is what the console will send."""

    NO_DRY_RUN = "no-dry-run"  # a webhook does not allow it
    NO_ANSWER = "no-answer"  # not in time


@dataclass(frozen=True)
class DryRun:
    """What the cluster makes of a change without making it: the service afterwards, a refusal, or no word at all."""

    after: Service | None = None
    refusal: ClusterError | None = None
    untested: Untested | None = None


@dataclass(frozen=True)
class Effect:
    """Everything a person should know before pressing the button.

    `after` is what the cluster's dry run answers, defaults and what webhooks fill in included; where there was none
    (`untested`) or it refuses (`refusal`), it is what the console would send.
    """

    preview: Preview
    needs: Needs
    changes: tuple[FieldChange, ...]
    before: Service
    after: Service
    makes_revision: bool
    truth: TrafficTruth  # what the new revision will get
    refusal: ClusterError | None  # what the cluster's dry run says against it
    untested: Untested | None
    changed_meanwhile: bool  # the service is not the one that the form showed
    kn_adds_revision: bool  # the kn command makes a revision, though the change itself makes none

    @property
    def patch(self) -> str:
        """The change as a merge patch in YAML, values of variables masked."""
        return patches.as_yaml(self.before.raw, self.after.raw) if self.changes else ""

    @property
    def owner(self) -> Owner | None:
        """The tool that will write the service again from elsewhere, and revert this change."""
        return self.before.owner

    @property
    def is_possible(self) -> bool:
        return self.refusal is None and not self.is_empty

    @property
    def is_empty(self) -> bool:
        return not self.changes


def preview(change: Change, *, user: User, ref: ServiceRef, form_version: str = "") -> Effect:
    """Work out the effect of the change on the service as it is now, and keep it for `submit`.

    Raises NotAllowed, ChangeRefused (a Problem of the form's input) or a ClusterError.
    """
    gateway, rights = gateway_for(ref.cluster, user, _patience()), rights_of(user)
    attempts = READ_ATTEMPTS
    while True:
        attempts -= 1
        before = _read(gateway, ref, change)
        _refuse_before_asking(rights, ref, needs_of(change, before))
        _refuse_taken_name(change, before)
        wanted = change.apply(before)
        if too_large := limits.exceeded(wanted.raw, before.raw):
            raise ChangeRefused(too_large)
        refuse_another_object(ref, wanted)
        removes = isinstance(change, DeleteService | DeleteRevision)
        dry_run = _dry_run(gateway, change, before, wanted) if removes or differ(before.raw, wanted.raw) else DryRun()
        if not attempts or not isinstance(dry_run.refusal, Conflict):
            break  # else the controllers wrote a status between the two calls
    after = dry_run.after or wanted
    needs = needs_of(change, before, effects.taken_back(before, wanted, after))
    shown = _removal(change, before) if removes else diff(before.raw, after.raw)
    if shown:
        refuse_unless_allowed(rights, ref, needs)
    makes_revision = not removes and creates_revision(before, after)
    kn = KnCommand() if dry_run.refusal else _kn(change, before, wanted)
    kept = Preview.objects.create(
        cluster=ref.cluster,
        namespace=ref.namespace,
        name=ref.name,
        user=user,
        sealed_change=seal(knative_changes.dump(change)),
        sealed_seen=seal(dict(before.raw)),
        sealed_after=seal(dict(dry_run.after.raw)) if dry_run.after else None,
        resource_version=before.resource_version,
        changes=[asdict(row) for row in shown],
        kn=without_digests(kn.text),
        kn_limit=kn.limit or "",
        makes_revision=makes_revision,
    )
    _forget_beyond_limit(user)
    return Effect(
        preview=kept,
        needs=needs,
        changes=shown,
        before=before,
        after=after,
        makes_revision=makes_revision,
        truth=traffic.truth(after.spec_traffic, after.status_traffic, after.latest_ready_revision),
        refusal=dry_run.refusal,
        untested=dry_run.untested,
        changed_meanwhile=bool(form_version) and form_version != before.resource_version,
        kn_adds_revision=kn.adds_revision,
    )


def _refuse_before_asking(rights: Rights, ref: ServiceRef, needs: Needs) -> None:
    """Ask the cluster nothing for somebody who may make none of it; of what it takes back, nothing is needed."""
    if needs.permissions == (not_held := missing(rights, ref, needs)):
        raise NotAllowed(*not_held, ref=ref)


def forget_old_previews() -> int:
    """Delete the previews that nobody submitted; returns how many."""
    return Preview.objects.filter(created_at__lt=timezone.now() - RETENTION).delete()[0]


def _forget_beyond_limit(user: User) -> None:
    """Forget the person's oldest previews. An operation holds all that it needs, so it never needs one of them."""
    kept = Preview.objects.filter(user=user).order_by("-created_at", "-id").values_list("id", flat=True)
    if beyond := list(kept[MAX_PER_PERSON:]):
        Preview.objects.filter(id__in=beyond).delete()


def _kn(change: Change, before: Service, wanted: Service) -> KnCommand:
    return kn_command.command(change, *(Service(seal_env(one.raw, _DIGESTS)) for one in (before, wanted)))


def _read(gateway: Gateway, ref: ServiceRef, change: Change) -> Service:
    try:
        return gateway.service(ref.namespace, ref.name)
    except NotFound:
        if isinstance(change, CreateService):
            return Service({})
        raise


def _refuse_taken_name(change: Change, before: Service) -> None:
    """Say that there is one of the name, and nothing more of it: the person may not be allowed to see it."""
    if isinstance(change, CreateService) and before.raw:
        raise ChangeRefused(Problem("name-taken", {"name": before.name}, field="name"))


def _removal(change: Change, before: Service) -> tuple[FieldChange, ...]:
    if isinstance(change, DeleteRevision):
        return (FieldChange(("revision",), change.revision, None),)
    return (FieldChange(("service",), before.name, None),)


def _dry_run(gateway: Gateway, change: Change, before: Service, wanted: Service) -> DryRun:
    transport = gateway.connection.transport.with_timeout(DRY_RUN_SECONDS, attempts=ATTEMPTS)
    gateway = replace(gateway, connection=replace(gateway.connection, transport=transport))
    database.give_back()
    try:
        return DryRun(after=_asked(gateway, change, before, wanted))
    except Uncertain:
        return DryRun(untested=Untested.NO_ANSWER)
    except ClusterError as error:
        if isinstance(error, Refused) and error.is_no_dry_run:
            return DryRun(untested=Untested.NO_DRY_RUN)
        secrets = secrets_of(before.raw) | secrets_of(wanted.raw)
        error.raw = redact_text(error.raw, secrets)[:MAX_RAW]  # webhooks repeat parts of what they refuse
        return DryRun(refusal=error)


def _asked(gateway: Gateway, change: Change, before: Service, wanted: Service) -> Service | None:
    """The service as the cluster would leave it; None for a deletion."""
    if isinstance(change, CreateService):
        return gateway.create_service(wanted, dry_run=True)
    if isinstance(change, DeleteService):
        gateway.delete_service(before.namespace, before.name, uid=before.uid, dry_run=True)
        return None
    return None if isinstance(change, DeleteRevision) else gateway.replace_service(wanted, dry_run=True)


def _patience() -> Callable[[ClusterError, float], None]:
    """Somebody waits for the page: give up where the transport would try again for longer than TIMEOUT."""
    began = time.monotonic()

    def give_up(error: ClusterError, wait: float) -> None:
        if time.monotonic() - began + wait > TIMEOUT:
            raise error

    return give_up


def masked(service: Service) -> dict[str, Any]:
    """Return the service's JSON for showing, without values and without what machines write."""
    shown = mask_env(service.raw)
    shown.pop("status", None)
    return shown


__all__ = [
    "ChangeRefused",
    "Effect",
    "Untested",
    "forget_old_previews",
    "masked",
    "preview",
]
