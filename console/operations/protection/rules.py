"""Keeping rules and windows: who may, and each change of one together with its audit entry."""

import json
from collections.abc import Mapping

from django.db import transaction

from console import audit
from console.access.actors import Actor
from console.access.authorization import Rights
from console.access.granting import shortfall
from console.access.permissions import Permission
from console.access.rights_history.rows import PREFIX
from console.audit import Outcome
from console.knative.diff import FieldChange
from console.operations.models.protection import ProtectionRule, Scoped, differences


def manages(rights: Rights, scope: Scoped) -> bool:
    """Whether the person permanently manages everything that the rule can match: a rule outlasts its author."""
    return not shortfall(rights, (), scope.scope)


def kind_of(scope: Scoped) -> str:
    """Return what the audit log calls it: `rule` or `window`."""
    return "rule" if isinstance(scope, ProtectionRule) else "window"


@transaction.atomic
def save(scope: Scoped, before: Mapping[str, str], *, actor: Actor) -> None:
    """Save a new rule or window (`before` is empty) or a changed one (`before` are its facts of before)."""
    scope.save()
    _record(scope, "change" if before else "add", before, scope.facts(), actor)


@transaction.atomic
def delete(scope: Scoped, *, actor: Actor) -> None:
    """Delete a rule or window. Operations that wait because of it keep waiting."""
    _record(scope, "remove", scope.facts(), {}, actor)
    scope.delete()


def _row(scope: Scoped, before: Mapping[str, str], after: Mapping[str, str]) -> FieldChange:
    """The whole rule before and after, by its id, for programs that replay the log (rules_history)."""
    was, becomes = (json.dumps(one, sort_keys=True, ensure_ascii=False) if one else None for one in (before, after))
    return FieldChange((PREFIX, kind_of(scope), str(scope.pk)), was, becomes)


def _record(scope: Scoped, what: str, before: Mapping[str, str], after: Mapping[str, str], actor: Actor) -> None:
    audit.record(
        f"protect.{kind_of(scope)}-{what}",
        actor=actor,
        by=(Permission.MANAGE,),
        outcome=Outcome.SUCCEEDED,
        changes=(*differences(before, after), _row(scope, before, after)),
        text=scope.place,
    )
