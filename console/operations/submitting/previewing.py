"""What would happen: the difference, the effect on traffic, and what the cluster itself says to a dry run."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from console.access.authorization import Rights, rights_of
from console.access.models import User
from console.access.refusals import NotAllowed
from console.cluster.errors import ClusterError, Conflict, NotFound
from console.cluster.gateway import Gateway
from console.knative import changes as knative_changes
from console.knative import conflicts, effects, kn_command, limits, traffic
from console.knative.changes import Applied, Change, ChangeRefused, Verb, apply_to
from console.knative.diff import FieldChange, creates_revision, diff
from console.knative.kn_command import KnCommand
from console.knative.objects import Service
from console.knative.problems import Problem
from console.knative.redaction import mask_env, seal_env, without_digests
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for
from console.operations.models import Preview
from console.operations.protection.gate import policy_status_of
from console.operations.rights.needs import Needs, missing, needs_of, refuse_another_object, refuse_unless_allowed
from console.operations.submitting.dry_run import DryRun, Untested, dry_run
from console.operations.submitting.proposal import Proposal
from console.sealing import seal

RETENTION = timedelta(hours=2)
MAX_PER_PERSON = 100  # beyond these the oldest is forgotten; one bulk edit makes 50
_DIGESTS = b"kn"  # no secret: what is hidden is compared by digests, which are taken away
READ_ATTEMPTS = 4
TIMEOUT = 5.0  # seconds of one read with all its attempts: a server that never answers would take 20


def preview(change: Change, *, user: User, ref: ServiceRef, form_version: str = "") -> Proposal:
    """Work out what the change would do to the service as it is now, and keep it for `submit`.

    Raises NotAllowed, ChangeRefused (a Problem of the form's input) or a ClusterError.
    """
    rights = rights_of(user)
    applied, tried = _tried(change, user, rights, ref)
    before, after = applied.before, tried.after or applied.after
    difference = _difference(applied, after)
    needs = needs_of(applied, effects.taken_back(applied.difference, difference))
    if difference:
        refuse_unless_allowed(rights, ref, needs)
    makes_revision = not change.verb.removes and creates_revision(before, after)
    kn = KnCommand() if tried.refusal else _kn(applied)
    return Proposal(
        preview=_keep(applied, tried, difference, kn, user=user, ref=ref, makes_revision=makes_revision),
        change=change,
        before=before,
        after=after,
        difference=difference,
        needs=needs,
        policy_status=policy_status_of(ref, needs),
        makes_revision=makes_revision,
        truth=traffic.truth(after.spec_traffic, after.status_traffic, after.latest_ready_revision),
        refusal=tried.refusal,
        untested=tried.untested,
        pods=tried.pods,
        changed_meanwhile=bool(form_version) and form_version != before.resource_version,
        kn_adds_revision=kn.adds_revision,
    )


def _tried(change: Change, user: User, rights: Rights, ref: ServiceRef) -> tuple[Applied, DryRun]:
    """The change applied to the service as it is now, and the cluster's word on it."""
    gateway = gateway_for(ref.cluster, user, _patience())
    attempts = READ_ATTEMPTS
    while True:
        attempts -= 1
        applied = apply_to(change, _read(gateway.with_timeout(TIMEOUT, attempts=READ_ATTEMPTS), ref, change))
        _refuse_before_asking(rights, ref, needs_of(applied))
        _refuse_taken_name(change, applied.before)
        if too_large := limits.exceeded(applied.after.raw, applied.before.raw):
            raise ChangeRefused(too_large)
        if not change.verb.removes and (conflict := conflicts.conflict(applied.after, applied.before)):
            raise ChangeRefused(conflict)
        refuse_another_object(ref, applied.after)
        tried = dry_run(gateway, applied) if change.verb.removes or applied.difference else DryRun()
        if not attempts or not isinstance(tried.refusal, Conflict):
            return applied, tried  # else the controllers wrote a status between the two calls


def _keep(
    applied: Applied,
    tried: DryRun,
    difference: tuple[FieldChange, ...],
    kn: KnCommand,
    *,
    user: User,
    ref: ServiceRef,
    makes_revision: bool,
) -> Preview:
    kept = Preview.objects.create(
        cluster=ref.cluster,
        namespace=ref.namespace,
        name=ref.name,
        user=user,
        sealed_change=seal(knative_changes.dump(applied.change)),
        sealed_seen=seal(dict(applied.before.raw)),
        sealed_after=seal(dict(tried.after.raw)) if tried.after else None,
        resource_version=applied.before.resource_version,
        changes=[asdict(row) for row in difference],
        kn=without_digests(kn.text),
        kn_limit=kn.limit or "",
        makes_revision=makes_revision,
    )
    _forget_beyond_limit(user)
    return kept


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


def _kn(applied: Applied) -> KnCommand:
    sealed = (Service(seal_env(one.raw, _DIGESTS)) for one in (applied.before, applied.after))
    return kn_command.command(applied.change, *sealed)


def _read(gateway: Gateway, ref: ServiceRef, change: Change) -> Service:
    try:
        return gateway.service(ref.namespace, ref.name)
    except NotFound:
        if change.verb is Verb.CREATE:
            return Service({})
        raise


def _refuse_taken_name(change: Change, before: Service) -> None:
    """Say that there is one of the name, and nothing more of it: the person may not be allowed to see it."""
    if change.verb is Verb.CREATE and before.raw:
        raise ChangeRefused(Problem("name-taken", {"name": before.name}, field="name"))


def _difference(applied: Applied, after: Service) -> tuple[FieldChange, ...]:
    """The fields that will be other ones; of a deletion, what goes."""
    change, before = applied.change, applied.before
    if change.verb.removes:
        return (FieldChange((change.verb.object,), change.object_name(before), None),)
    return applied.difference if after is applied.after else diff(before.raw, after.raw)


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
    "Proposal",
    "Untested",
    "forget_old_previews",
    "masked",
    "preview",
]
