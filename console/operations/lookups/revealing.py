"""Showing values of variables to those who may see them: never stored.

The person who typed a value sees it in its preview, because they know it; that leaves no entry. Any other value is
shown to people who may reveal, where a decision depends on it, and leaves an entry that names the variables.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from console import audit
from console.access.actors import Actor
from console.access.authorization import rights_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.refusals import NotRevealed
from console.audit import Outcome
from console.knative import values
from console.knative.changes import Change
from console.knative.containers import Container
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.operations.gateways import gateway_for

MAX_NAMES = 20  # that one entry lists


def reveal_env(
    ref: ServiceRef, *, user: User, actor: Actor, variable: str = ""
) -> dict[str, dict[tuple[str, int], str]]:
    """Return the literal values by container, variable name and, from 0, which of several of that name.

    With `variable` only those of that name, which the audit entry then names. Raises a ClusterError, or NotRevealed.
    The caller checked `reveal` by the mirror's labels; here the cluster's count.
    """
    service = gateway_for(ref.cluster, user).service(ref.namespace, ref.name)
    if not rights_of(user).allows(Permission.REVEAL, ref, service.labels):
        raise NotRevealed(ref)
    found = {container.name: _values(container, variable) for container in service.containers}
    if any(found.values()) or not variable:  # else a name that is not there: nothing is shown
        record(ref, actor, "Env", [variable] if variable else ())
    return found


def for_author(
    rows: Sequence[FieldChange],
    change: Change,
    before: Service,
    after: Service,
    *,
    ref: ServiceRef,
    actor: Actor,
    may_reveal: bool,
) -> tuple[FieldChange, ...]:
    """Return the rows of a preview as its author may see them: what they typed, and the rest if they may reveal."""
    typed = change.typed_values()
    own = values.unmask(rows, before, after, old=_never, new=typed.__contains__)
    return _revealed(own, before, after, ref, actor, "Preview") if may_reveal else own


def for_approver(
    rows: Sequence[FieldChange], before: Service, after: Service, *, ref: ServiceRef, actor: Actor, operation: UUID
) -> tuple[FieldChange, ...]:
    """Return the rows of a waiting change with old and new values. The caller checked `reveal`."""
    return _revealed(tuple(rows), before, after, ref, actor, "Approval", operation)


def for_auditor(
    rows: Sequence[FieldChange], before: Service, after: Service, *, ref: ServiceRef, actor: Actor, operation: UUID
) -> tuple[FieldChange, ...]:
    """Return the rows of a change that was decided, with old and new values. The caller checked `reveal`."""
    return _revealed(tuple(rows), before, after, ref, actor, "Decision", operation)


def record(
    ref: ServiceRef, actor: Actor, what: str, variables: Iterable[str] = (), operation: UUID | None = None
) -> None:
    """Leave the entry of values that are about to be shown, naming the variables."""
    found = list(variables)
    more = f" and {len(found) - MAX_NAMES} more" if len(found) > MAX_NAMES else ""
    text = ", ".join(found[:MAX_NAMES]) + more
    with transaction.atomic():
        audit.record(f"reveal.{what}", actor=actor, ref=ref, outcome=Outcome.SUCCEEDED, text=text, operation=operation)


def _revealed(
    rows: tuple[FieldChange, ...],
    before: Service,
    after: Service,
    ref: ServiceRef,
    actor: Actor,
    what: str,
    operation: UUID | None = None,
) -> tuple[FieldChange, ...]:
    shown = values.unmask(rows, before, after, old=_always, new=_always)
    if revealed := values.names(new for old, new in zip(rows, shown, strict=True) if old != new):
        record(ref, actor, what, revealed, operation)
    return shown


def _never(_value: str) -> bool:
    return False


def _always(_value: str) -> bool:
    return True


def _values(container: Container, name: str) -> dict[tuple[str, int], str]:
    seen: Counter[str] = Counter()
    found = {}
    for variable in container.env:
        if variable.value is not None and name in ("", variable.name):
            found[variable.name, seen[variable.name]] = variable.value
        seen[variable.name] += 1
    return found
