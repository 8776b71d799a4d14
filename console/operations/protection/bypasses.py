"""What went round an approval, from the log: overrides, changes of protected services from outside, rules and freezes
removed or narrowed, roles raised, rights given that allow it, and the log itself made shorter.

Whether a service was protected at the moment is decided by the rules that the log tells (rules_history) and by the
labels that the service had then (console.audit.service_history).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from console.access.permissions import CHANGING, Permission
from console.access.rights_history import moments
from console.access.rights_history.replay import SNAPSHOT, Replay, begins_snapshot, take
from console.access.rights_history.state import State
from console.access.scopes import patterns_meet
from console.audit import service_history
from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.audit.triggers import REDACTED, RETAINED
from console.knative import effects, paths
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.operations.protection import rules_history
from console.operations.protection.rules_history import Rules, Span

OVERRIDE = "protect.override"
GONE = "outside.gone"  # nothing was recorded then: perhaps by an operation of which a restore lost the record
OUTSIDE = ("outside.change", "outside.create", "outside.delete", GONE)
LESSENING = tuple(f"protect.{kind}-{what}" for kind in ("rule", "window") for what in ("change", "remove"))
RETENTION_CHANGED = "audit.retention"
RECORD = (RETAINED, REDACTED, RETENTION_CHANGED, "audit.hold-lift")
POWERS = (Permission.MANAGE, Permission.APPROVE)  # who has one can pass by an approval, or give it to oneself
MAX_ENTRIES = 20_000  # of a period that are looked through, the newest
MAX_NAMED = 5  # people of one row


class Kind(StrEnum):
    """How an approval was gone round, or could be from then on."""

    OVERRIDE = "override"
    OUTSIDE = "outside"
    RULE_REMOVED = "rule-removed"
    RULE_NARROWED = "rule-narrowed"
    FREEZE_REMOVED = "freeze-removed"
    FREEZE_NARROWED = "freeze-narrowed"
    ROLE_RAISED = "role-raised"
    RIGHTS_GIVEN = "rights-given"
    LOG_SHORTENED = "log-shortened"


@dataclass(frozen=True, slots=True)
class Bypass:
    """An entry, and what it went round: places of rules and freezes; `is_sure` False: the labels are not known, no
    entry tells since when the rule was in force, or who deleted the service is not recorded."""

    entry: Entry
    kind: Kind
    about: str  # a place, a role, a person ...
    rules: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A period, and where; empty: anywhere."""

    since: datetime
    until: datetime
    cluster: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, newest first. `is_complete` False: the period has more entries than are looked through."""

    rows: tuple[Bypass, ...]
    is_complete: bool
    rights_known_since: datetime | None = None
    counts: Mapping[Kind, int] = field(default_factory=dict)


def find(entries: QuerySet[Entry], asked: Asked) -> Found:
    """Return what went round an approval, of the entries that somebody may read."""
    of_period = entries.filter(at__gte=asked.since, at__lt=asked.until, outcome=Outcome.SUCCEEDED.value)
    candidates = of_period.filter(action__in=(OVERRIDE, *OUTSIDE, *LESSENING, *RECORD, SNAPSHOT))
    newest = list(candidates.order_by("-sequence")[: MAX_ENTRIES + 1])
    rules = rules_history.read()
    rows = [row for entry in newest[:MAX_ENTRIES] for row in _of_entry(entry, rules, asked)]
    rows += _of_rights(of_period.filter(action__startswith="manage."), asked)
    rows.sort(key=lambda row: row.entry.sequence, reverse=True)
    counts = {kind: sum(row.kind is kind for row in rows) for kind in Kind}
    return Found(tuple(rows), len(newest) <= MAX_ENTRIES, moments.known().since, counts)


def _of_entry(entry: Entry, rules: Rules, asked: Asked) -> Iterator[Bypass]:
    if entry.action == OVERRIDE or entry.action in OUTSIDE:
        if asked.cluster in ("", entry.cluster) and asked.namespace in ("", entry.namespace):
            yield from _override(entry) if entry.action == OVERRIDE else _outside(entry, rules)
    elif entry.action in LESSENING:
        yield from _lessened(entry, rules, asked)
    elif entry.action == SNAPSHOT:
        yield from _unlogged(entry)
    else:
        yield from _record(entry)


def _override(entry: Entry) -> Iterator[Bypass]:
    """The text says what was passed by: `SetEnv <digest> box/prod-*, box/prod: the reason`."""
    words = entry.text.split(" ", 2)[-1]
    places, _, reason = words.partition(": ")
    yield Bypass(entry, Kind.OVERRIDE, _place(entry), tuple(filter(None, places.split(", "))), after=reason)


def _outside(entry: Entry, rules: Rules) -> Iterator[Bypass]:
    ref = ServiceRef(entry.cluster, entry.namespace, entry.service)
    permissions = _permissions(entry)
    if not rules.covering(ref, permissions, None, entry.at):
        return  # whatever its labels were: those are asked for one by one
    labels = _labels(entry, ref)
    covering = rules.covering(ref, permissions, labels, entry.at)
    if covering:
        sure = entry.action != GONE and any(rules_history.is_sure(one, labels) for one in covering)
        yield Bypass(entry, Kind.OUTSIDE, _place(entry), tuple(map(_name, covering)), is_sure=sure)


def _labels(entry: Entry, ref: ServiceRef) -> list[Mapping[str, str]] | None:
    """The labels that the service had then: before the change, and with it. None: not known."""
    known = service_history.labels_around(ref, entry.at)
    if known:
        return list(known)
    return None


def _permissions(entry: Entry) -> frozenset[str]:
    """What the change would have needed in the console; of one that is not told field by field, anything."""
    if entry.action == "outside.create":
        return frozenset({Permission.DEPLOY})
    if entry.action in ("outside.delete", GONE):
        return frozenset({Permission.DELETE})
    rows = [FieldChange(paths.read(row["field"]), row["before"], row["after"]) for row in entry.changes]
    return effects.of_rows(rows) if rows else frozenset(CHANGING)


def _lessened(entry: Entry, rules: Rules, asked: Asked) -> Iterator[Bypass]:
    kind, _, what = entry.action.removeprefix("protect.").partition("-")
    before, after = rules_history.sides(entry)
    is_rule = kind == rules_history.RULE
    if what == "remove":
        if rules_history.may_touch(before, asked.cluster, asked.namespace):
            removed = Kind.RULE_REMOVED if is_rule else Kind.FREEZE_REMOVED
            yield Bypass(entry, removed, entry.text, (entry.text,), before=_words(before))
        return
    old = next((one for one in rules.spans if one.kind == kind and _is_former(one, entry, before)), None)
    facts = old.facts if old else before
    becomes = rules_history.changed(facts, entry)
    if rules_history.weaker(kind, facts, becomes) and rules_history.may_touch(facts, asked.cluster, asked.namespace):
        narrowed = Kind.RULE_NARROWED if is_rule else Kind.FREEZE_NARROWED
        place = rules_history.scoped(kind, facts).place
        yield Bypass(entry, narrowed, place, (place,), _words(before), _words(after), is_sure=old is not None)


def _is_former(span: Span, entry: Entry, before: Mapping[str, str]) -> bool:
    return span.ends == entry.at and before.items() <= span.facts.items()


def _unlogged(entry: Entry) -> Iterator[Bypass]:
    """Rights that were found other than the log has them: somebody changed them without an entry."""
    told = entry.text.partition(": ")[2]
    only_removed = all(one.startswith("removed ") for one in told.split(", ")) and not told.endswith(" more")
    if entry.text.startswith("differs, part 1 ") and not only_removed:  # fewer rights let nobody round an approval
        yield Bypass(entry, Kind.RIGHTS_GIVEN, "", after=told, is_sure=False)


def _record(entry: Entry) -> Iterator[Bypass]:
    """The log made shorter: entries moved away or redacted, and a retention that was lowered."""
    if entry.action != RETENTION_CHANGED:
        yield Bypass(entry, Kind.LOG_SHORTENED, entry.text.partition(",")[0])
        return
    before, after = rules_history.sides(entry)
    if any(_is_less(after.get(name), value) for name, value in before.items()):
        yield Bypass(entry, Kind.LOG_SHORTENED, entry.text, before=_words(before), after=_words(after))


def _is_less(after: str | None, before: str) -> bool:
    numbers = [one for one in (before, after or "") if one.isdecimal()]
    return after is None or (len(numbers) == len((before, after)) and int(after) < int(before))


def _of_rights(entries: QuerySet[Entry], asked: Asked) -> list[Bypass]:
    """Roles raised, administrators made, and who got a power by a grant, a membership or an account: by effect."""
    readable = set(entries.values_list("sequence", flat=True))
    if not readable:
        return []
    found: list[Bypass] = []
    replay = moments.state_at(asked.since)
    for entry in moments.changes_between(asked.since, asked.until):
        if begins_snapshot(entry):
            replay = Replay()
        before = State(dict(replay.state.rows))
        take(entry, replay)
        after = State(dict(replay.state.rows))
        if entry.sequence in readable:
            found += _raised(entry, before, after, asked)
    return found


def _raised(entry: Entry, before: State, after: State, asked: Asked) -> Iterator[Bypass]:
    if entry.action == "manage.EditRole":
        was, becomes = (_role_permissions(entry, side) for side in (before, after))
        if becomes - was:
            name = entry.text
            yield Bypass(entry, Kind.ROLE_RAISED, name, before=", ".join(sorted(was)), after=", ".join(sorted(becomes)))
        return
    had, has = (_powers(side, entry.at) for side in (before, after))
    gained = sorted(one for one in has - had if _is_there(one, asked))
    if gained:
        kind = Kind.ROLE_RAISED if entry.action == "manage.MakeAdministrator" else Kind.RIGHTS_GIVEN
        yield Bypass(entry, kind, entry.text, after=_named(gained))


Power = tuple[str, str, str, str]  # person, permission, pattern of clusters, pattern of namespaces


def _powers(state: State, at: datetime) -> set[Power]:
    """Who can pass by an approval, or give that to somebody, and where."""
    found: set[Power] = set()
    for held in state.everything_held(at):
        if held.right is None:
            found |= {(held.person.name, power.value, "*", "*") for power in POWERS}
            continue
        granted = {power.value for power in POWERS if power in held.right.permissions}
        found |= {(held.person.name, power, held.right.cluster, held.right.namespace) for power in granted}
    return found


def _is_there(power: Power, asked: Asked) -> bool:
    _person, _permission, cluster, namespace = power
    return (not asked.cluster or patterns_meet(cluster, asked.cluster)) and (
        not asked.namespace or patterns_meet(namespace, asked.namespace)
    )


def _named(gained: Sequence[Power]) -> str:
    told = [f"{person}: {permission} {cluster}/{namespace}" for person, permission, cluster, namespace in gained]
    more = f"; and {len(told) - MAX_NAMED} more" if len(told) > MAX_NAMED else ""
    return "; ".join(told[:MAX_NAMED]) + more


def _role_permissions(entry: Entry, state: State) -> frozenset[str]:
    """The permissions of the role that the entry is about."""
    for row in entry.changes:
        kind, _, number = row["field"].removeprefix("rights.").partition(".")
        if kind == "role" and (role := state.rows.get(("role", int(number)))):
            return frozenset(getattr(role, "permissions", ()))
    return frozenset()


def _name(span: Span) -> str:
    return f"{span.scope.place} ({'freeze' if span.kind == rules_history.WINDOW else 'rule'})"


def _words(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in facts.items())


def _place(entry: Entry) -> str:
    return f"{entry.cluster}/{entry.namespace}/{entry.service}"
