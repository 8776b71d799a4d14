"""Labels that decide who may do what: grants, protection rules and freezes select services by them.

Who sets such a label gives a team its role on the service, or takes it away; puts the service under a rule, or takes it
out of one. So a label is judged like a grant: nobody gives by a label what they could not give by a grant, and
nobody leaves by a label a rule that they could not remove.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.access.authorization import Rights
from console.access.granting import shortfall
from console.access.models import Grant
from console.access.permissions import Permission
from console.access.scopes import Scope, of_service
from console.access.teams import scope_of
from console.knative.references import ServiceRef
from console.operations.models.protection import FreezeWindow, ProtectionRule

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Relabelling:
    """The labels that may not be set or removed, by their keys, and the permissions that are lacking for it."""

    keys: tuple[str, ...]
    lacks: frozenset[str]


def relabelling(rights: Rights, ref: ServiceRef, labels: Sequence[Labels], *, is_new: bool) -> Relabelling | None:
    """Return what is not allowed of a change from the first to the last of the labels; None when nothing is.

    A new service begins without labels. Who may deploy there only on services with certain labels begins with those:
    the grant says that they may, and rules that select by them hold for the new service, which is nobody's loss.
    """
    if rights.is_administrator or (not is_new and labels[0] == labels[-1]) or not any(labels):
        return None
    found = [_judge(rights, ref, begin, labels[-1], is_new=is_new) for begin in _begins(rights, ref, labels, is_new)]
    return found[0] if found and all(found) else None


def _begins(rights: Rights, ref: ServiceRef, labels: Sequence[Labels], is_new: bool) -> list[Labels]:
    if not is_new:
        return [labels[0]]
    if rights.allows(Permission.DEPLOY, ref, {}):
        return [{}]
    granted = (right for right in rights.rights if Permission.DEPLOY in right.permissions)
    return [right.selector for right in granted if right.covers(ref, labels[-1])]


def _judge(rights: Rights, ref: ServiceRef, was: Labels, will: Labels, *, is_new: bool) -> Relabelling | None:
    """Each scope that the service leaves or comes into by its labels, against what the person may give and take."""
    keys: set[str] = set()
    lacks: frozenset[str] = frozenset()
    for scope, asked, anew in _selecting(ref, is_new):
        before, after = (scope.covers(of_service(ref, labels)) for labels in (was, will))
        if before == after:
            continue
        within = [anew] if before and anew else [of_service(ref, was), of_service(ref, will)]
        if short := frozenset[str]().union(*(shortfall(rights, asked, each) for each in within)):
            keys |= {key for key in scope.selector if was.get(key) != will.get(key)}
            lacks |= short
    return Relabelling(tuple(sorted(keys)), lacks) if keys else None


def _selecting(ref: ServiceRef, is_new: bool) -> Iterator[tuple[Scope, Iterable[str], Scope | None]]:
    """(scope, permissions that it gives, the scope to manage for taking a service out of it; None: the service)."""
    for grant in Grant.objects.exclude(selector="").select_related("role"):
        yield scope_of(grant), grant.role.permissions, None
    if is_new:
        return
    for kind in (ProtectionRule, FreezeWindow):
        for each in kind.objects.exclude(selector=""):
            if each.may_include(ref):
                yield each.scope, (), each.scope
