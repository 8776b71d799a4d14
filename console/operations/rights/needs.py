"""What a change needs its author to be allowed, judged by what it does and not by what it is called."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.access.refusals import LabelNotAllowed, NotAllowed
from console.knative import effects
from console.knative.changes import Applied, ChangeRefused, Verb, permission_of
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.owners import Owner, undone
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.operations.models import Operation, Preview
from console.operations.rights.relabelling import relabelling

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a change does, as rights and rules see it: permissions, the labels the service has and will have, owners.

    A new service has no labels before: `labels` are then those that it will have.
    """

    permissions: frozenset[str]
    labels: tuple[Labels, ...]
    is_new: bool = False
    owners: tuple[Owner, ...] = ()  # the tools that will undo it
    disowns: bool = False  # it takes away the mark by which a tool is known


def refuse_another_object(ref: ServiceRef, wanted: Service) -> None:
    """Raise ChangeRefused when a manifest names another service than the one that rights were asked for."""
    if (wanted.namespace, wanted.name) != (ref.namespace, ref.name):
        other = f"{wanted.namespace}/{wanted.name}"
        raise ChangeRefused(Problem("manifest-other-service", {"name": other[:160]}))


def needs_of(applied: Applied, taken_back: frozenset[FieldChange] = frozenset()) -> Needs:
    """Return what the change needs of the service that it was applied to.

    `taken_back` are the differences that the cluster's dry run showed to be none (console.knative.effects).
    """
    permissions, after = effects.effects(applied, taken_back), applied.known_after
    if applied.change.verb is Verb.CREATE:
        return Needs(permissions, (after.labels,), is_new=True)
    before = applied.before
    owners = () if applied.change.verb is Verb.DELETE_REVISION else undone(before.owners, permissions)
    disowns = applied.change.verb is Verb.UPDATE and not set(before.owners) <= set(after.owners)
    return Needs(
        permissions, (before.labels, after.labels), owners=before.owners if disowns else owners, disowns=disowns
    )


def needs_of_kept(kept: Preview | Operation) -> Needs:
    """Return what a kept change needs of the service as its author saw it."""
    return needs_of(kept.applied, kept.taken_back)


def missing(rights: Rights, ref: ServiceRef, needs: Needs) -> frozenset[str]:
    """Return those of the permissions that the person does not have.

    A grant with a selector must cover the labels that the service has and those that it will have.
    """
    return frozenset(p for p in needs.permissions if not all(rights.allows(p, ref, each) for each in needs.labels))


def refuse_unless_allowed(rights: Rights, ref: ServiceRef, needs: Needs) -> None:
    """Raise NotAllowed unless the person has every right that the change needs, or LabelNotAllowed for its labels."""
    if not_held := missing(rights, ref, needs):
        raise NotAllowed(*not_held, ref=ref)
    if found := relabelling(rights, ref, needs.labels, is_new=needs.is_new):
        raise LabelNotAllowed(found.keys, *found.lacks, ref=ref)


def may_make(rights: Rights, operation: Operation) -> bool:
    """Whether the person could make the operation's change of the service as its author saw it."""
    if not operation.is_readable:
        return False
    try:
        refuse_unless_allowed(rights, operation.ref, needs_of_kept(operation))
    except NotAllowed:
        return False
    return True


def lacks_to_cancel(rights: Rights, operation: Operation, labels: Labels) -> Permission | None:
    """Return the permission that the person lacks to call off the operation: one of those that it needs is enough."""
    needed = needs_of_kept(operation).permissions if operation.is_readable else {permission_of(operation.kind)}
    if any(rights.allows(each, operation.ref, labels) for each in needed):
        return None
    return Permission(min(needed))
