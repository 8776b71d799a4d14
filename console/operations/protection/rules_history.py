"""Which rules and freezes were in force at a moment, from the entries that tell of each change of one. Pure but for
the first function.

An entry has the whole rule before and after, by its id. One of an earlier version has the fields that differ: a changed
rule is then the one that had the fields of before. What no entry tells of (the log was archived, or somebody wrote into
the database) is taken as it is today, and marked.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.access.rights_history.rows import PREFIX, is_of_rights
from console.access.scopes import patterns_meet
from console.audit.models import Entry
from console.knative.references import ServiceRef
from console.operations.models.protection import FreezeWindow, ProtectionRule, Scoped

Facts = Mapping[str, str]
RULE, WINDOW = "rule", "window"
_KINDS: Mapping[str, type[Scoped]] = {RULE: ProtectionRule, WINDOW: FreezeWindow}
ACTIONS = tuple(f"protect.{kind}-{what}" for kind in _KINDS for what in ("add", "change", "remove"))


@dataclass(slots=True)
class Span:
    """A rule or freeze as it was from `begins` (None: from before the log) to `ends` (None: it still is)."""

    kind: str
    facts: dict[str, str]
    begins: datetime | None
    ends: datetime | None = None
    is_logged: bool = True
    id: str = ""  # empty: an entry of a version that did not say it

    @property
    def scope(self) -> Scoped:
        return scoped(self.kind, self.facts)

    def holds_at(self, moment: datetime) -> bool:
        return (self.begins is None or self.begins <= moment) and (self.ends is None or moment < self.ends)


@dataclass(frozen=True, slots=True)
class Rules:
    """All that was ever in force."""

    spans: tuple[Span, ...]

    def covering(
        self, ref: ServiceRef, permissions: Iterable[str], labels: Sequence[Mapping[str, str]] | None, moment: datetime
    ) -> list[Span]:
        """Return what asked for an approval of such a change at the moment, or froze it.

        Without labels (None: not known) one with a selector counts: see `is_sure`.
        """
        needed = set(permissions)
        return [one for one in self.spans if one.holds_at(moment) and _covers(one, ref, needed, labels, moment)]


def is_sure(span: Span, labels: Sequence[Mapping[str, str]] | None) -> bool:
    """Whether it is known that the rule covered the service, and since when it was in force."""
    return span.is_logged and (labels is not None or not span.facts.get("selector"))


def read() -> Rules:
    """Return the rules and freezes of all times, as the log and today's tables tell them."""
    entries = Entry.objects.filter(action__in=ACTIONS).order_by("sequence")
    today = [(RULE, one.facts()) for one in ProtectionRule.objects.all()]
    today += [(WINDOW, one.facts()) for one in FreezeWindow.objects.all()]
    return Rules(tuple(spans(entries.iterator(chunk_size=500), today)))


def spans(entries: Iterable[Entry], today: Iterable[tuple[str, Facts]]) -> list[Span]:
    """Return what was in force when, from the entries, oldest first, and from what there is today."""
    found: list[Span] = []
    for entry in entries:
        kind, _, what = entry.action.removeprefix("protect.").partition("-")
        id, before, after = _whole(entry)
        if what == "add":
            found.append(Span(kind, after, entry.at, id=id))
            continue
        old = _of_id(found, kind, id) or _find(found, kind, before)
        if old is None:  # from before the log
            old = Span(kind, dict(before), None, is_logged=bool(id) or what == "remove", id=id)
            found.append(old)
        old.ends = entry.at
        if what == "change":
            becomes = after if id else changed(old.facts, entry)
            found.append(Span(kind, becomes, entry.at, is_logged=old.is_logged, id=id))
    left = [one for one in found if one.ends is None]
    for kind, facts in today:
        known = next((one for one in left if one.kind == kind and one.facts == facts), None)
        if known:
            left.remove(known)
        else:
            found.append(Span(kind, dict(facts), None, is_logged=False))
    return found


def sides(entry: Entry) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields that differ, before and after, as far as they were set."""
    rows = [row for row in entry.changes if not is_of_rights(row["field"])]
    before = {row["field"]: row["before"] for row in rows if row["before"] is not None}
    after = {row["field"]: row["after"] for row in rows if row["after"] is not None}
    return before, after


def changed(facts: Facts, entry: Entry) -> dict[str, str]:
    """Return the facts of a rule after the entry's change of it."""
    _before, after = sides(entry)
    kept = {name: value for name, value in facts.items() if all(row["field"] != name for row in entry.changes)}
    return {**kept, **after}


def scoped(kind: str, facts: Facts) -> Scoped:
    """Return the rule or freeze of the facts, which is in no table."""
    read: dict[str, Any] = {name: value for name, value in facts.items() if name != "permissions"}
    read["permissions"] = [one.strip() for one in facts.get("permissions", "").split(",") if one.strip()]
    for name in ("needs_reason", "is_weekly"):
        if name in read:
            read[name] = read[name] == "True"
    if "valid_hours" in read:
        read["valid_hours"] = int(read["valid_hours"])
    known = {one.name for one in _KINDS[kind]._meta.get_fields()}
    return _KINDS[kind](**{name: value for name, value in read.items() if name in known})


def weaker(kind: str, before: Facts, after: Facts) -> bool:
    """Whether a rule or freeze with the facts of after may let something pass that the one before stopped."""
    old, new = scoped(kind, before), scoped(kind, after)
    if not new.scope.covers(old.scope) or (new.service and new.service != old.service):
        return True
    if not set(old.permissions) <= set(new.permissions):
        return True
    if isinstance(old, ProtectionRule) and isinstance(new, ProtectionRule):
        softer = _STRENGTH.get(new.owned or "", 0) < _STRENGTH.get(old.owned or "", 0)
        other = bool(old.owned) != bool(new.owned) or bool(old.approvers and new.approvers != old.approvers)
        return other or softer or (old.needs_reason and not new.needs_reason) or new.valid_hours > old.valid_hours
    if isinstance(old, FreezeWindow) and isinstance(new, FreezeWindow):
        return _is_shorter(old, new)
    return False


def may_touch(facts: Facts, cluster: str, namespace: str) -> bool:
    """Whether the rule could be about the place; empty: any."""
    scope = scoped(RULE, {name: value for name, value in facts.items() if name in ("cluster", "namespace")}).scope
    return (not cluster or patterns_meet(scope.cluster, cluster)) and (
        not namespace or patterns_meet(scope.namespace, namespace)
    )


_STRENGTH = {"": 0, "warn": 1, "lock": 2}


def _is_shorter(old: FreezeWindow, new: FreezeWindow) -> bool:
    """Whether some moment was frozen before and is not any more. Weekly ones repeat from their first on."""
    if (old.zone, old.is_weekly) != (new.zone, new.is_weekly):
        return True
    return new.begins > old.begins or new.ends < old.ends


def _whole(entry: Entry) -> tuple[str, dict[str, str], dict[str, str]]:
    """The rule's id and all of its fields before and after; of an earlier version no id, and the fields that differ."""
    for row in entry.changes:
        prefix, _, rest = row["field"].partition(".")
        if prefix == PREFIX:
            before, after = (json.loads(row[side]) if row[side] else {} for side in ("before", "after"))
            return rest.rpartition(".")[2], before, after
    return "", *sides(entry)


def _of_id(found: Iterable[Span], kind: str, id: str) -> Span | None:
    return next((one for one in found if id and one.ends is None and (one.kind, one.id) == (kind, id)), None)


def _find(found: Iterable[Span], kind: str, before: Facts) -> Span | None:
    """The span in force that has the fields of before; of several, the newest that has no others to be told from."""
    fitting = [one for one in found if one.ends is None and one.kind == kind and before.items() <= one.facts.items()]
    exact = [one for one in fitting if one.facts == before]
    return (exact or fitting)[-1] if fitting else None


def _covers(
    span: Span,
    ref: ServiceRef,
    permissions: set[str],
    labels: Sequence[Mapping[str, str]] | None,
    moment: datetime,
) -> bool:
    scope = span.scope
    if labels is None:
        scope.selector, labels = "", [{}]
    if isinstance(scope, ProtectionRule) and scope.owned:
        return False  # it asks for no approval
    if not scope.covers(ref, permissions, labels):
        return False
    return not isinstance(scope, FreezeWindow) or scope.window.end_if_in_force(moment) is not None
