"""Which rules held when, told from the log: equal to what a model of the changes knows, at each moment."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.knative.references import ServiceRef
from console.operations.models.protection import FreezeWindow, ProtectionRule, differences
from console.operations.protection.rules_history import RULE, WINDOW, Rules, Span, is_sure, scoped, spans, weaker

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ALL = ["deploy", "traffic", "operate", "delete"]
PLACES = [ServiceRef("box", namespace, "shop") for namespace in ("prod", "prod-2", "test")]
LABELS = [{}, {"tier": "front"}]

rules = st.builds(
    ProtectionRule,
    namespace=st.sampled_from(["prod", "prod*", "*", "test"]),
    selector=st.sampled_from(["", "tier=front"]),
    service=st.sampled_from([None, "shop"]),
    permissions=st.sampled_from([["deploy"], ["deploy", "traffic"], ALL]),
    owned=st.sampled_from([None, None, "lock"]),
    needs_reason=st.booleans(),
)
# (what, which of those there are, the rule that is added or that it becomes)
steps = st.lists(st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 9), rules), max_size=12)


def entry(what: str, before: dict[str, str], after: dict[str, str], at: datetime, kind: str = RULE, id: int = 0) -> Any:
    """The entry that console.operations.protection.rules writes."""
    rows = [{"field": row.path[0], "before": row.before, "after": row.after} for row in differences(before, after)]
    if id:
        sides = {"before": json.dumps(before) if before else None, "after": json.dumps(after) if after else None}
        rows.append({"field": f"rights.{kind}.{id}", **sides})
    return SimpleNamespace(action=f"protect.{kind}-{what}", changes=rows, at=at)


def play(
    changes: list[tuple[str, int, ProtectionRule]],
) -> tuple[list[Any], list[tuple[datetime, list[dict[str, str]]]]]:
    """The entries of these changes, and what there was from when on."""
    there: dict[int, dict[str, str]] = {}
    entries, model, at = [], [(BEGIN, [])], BEGIN
    for number, (what, which, rule) in enumerate(changes, 1):
        at += timedelta(minutes=1)
        if what != "add" and not there:
            continue
        id = number if what == "add" else sorted(there)[which % len(there)]
        before, after = there.pop(id, {}), {} if what == "remove" else rule.facts()
        entries.append(entry(what, before, after, at, id=id))
        there |= {id: after} if after else {}
        model.append((at, list(there.values())))
    return entries, model


@settings(deadline=None, max_examples=25)
@given(changes=steps)
def test_each_moment_has_the_rules_of_the_model(changes: list[tuple[str, int, ProtectionRule]]) -> None:
    entries, model = play(changes)
    known = Rules(tuple(spans(entries, [(RULE, facts) for facts in model[-1][1]])))
    assert all(one.is_logged for one in known.spans)
    for begins, there in model:
        for moment in (begins, begins + timedelta(seconds=59)):
            for ref, labels in itertools.product(PLACES, LABELS):
                expected = [one for one in there if stops(one, ref, labels)]
                found = [one.facts for one in known.covering(ref, ["deploy"], [labels], moment)]
                assert sorted(found, key=sorted_facts) == sorted(expected, key=sorted_facts)


def sorted_facts(facts: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(facts.items())


def stops(facts: dict[str, str], ref: ServiceRef, labels: dict[str, str]) -> bool:
    rule = scoped(RULE, facts)
    return not facts.get("owned") and rule.covers(ref, ["deploy"], [labels])


@given(rule=rules)
def test_a_rule_is_read_from_the_log_as_it_was(rule: ProtectionRule) -> None:
    assert scoped(RULE, rule.facts()).facts() == rule.facts()


def test_a_rule_that_is_gone_from_the_table_without_an_entry_is_still_told_by_the_log() -> None:
    rule = ProtectionRule(namespace="prod", permissions=ALL)
    (span,) = spans([entry("add", {}, rule.facts(), BEGIN)], [])
    assert span.holds_at(BEGIN + timedelta(days=9))


def test_a_rule_of_before_the_log_is_taken_as_it_is_and_marked() -> None:
    rule = ProtectionRule(namespace="prod", permissions=ALL)
    (span,) = spans([], [(RULE, rule.facts())])
    assert (span.begins, span.is_logged) == (None, False)
    assert not is_sure(span, [{}])
    (removed,) = spans([entry("remove", rule.facts(), {}, BEGIN)], [])
    assert removed.holds_at(BEGIN - timedelta(days=1)), "the entry of its removal says that there was one"
    assert not removed.holds_at(BEGIN)


def test_a_selector_whose_labels_are_not_known_counts_and_is_not_sure() -> None:
    rule = ProtectionRule(namespace="prod", permissions=ALL, selector="tier=front")
    known = Rules(tuple(spans([entry("add", {}, rule.facts(), BEGIN)], [])))
    (found,) = known.covering(PLACES[0], ["deploy"], None, BEGIN)
    assert not is_sure(found, None)
    assert known.covering(PLACES[0], ["deploy"], [{}], BEGIN) == []


def test_a_freeze_counts_while_it_is_in_force_only() -> None:
    window = FreezeWindow(
        permissions=ALL, begins="2026-11-24T10:00", ends="2026-11-24T12:00", zone="Europe/Berlin", namespace="prod"
    )
    known = Rules(tuple(spans([entry("add", {}, window.facts(), BEGIN, WINDOW)], [])))
    for hour, count in ((8, 0), (9, 1), (11, 0)):
        moment = datetime(2026, 11, 24, hour, 30, tzinfo=UTC)
        assert len(known.covering(PLACES[0], ["deploy"], [{}], moment)) == count


BASE = {
    "cluster": "box",
    "namespace": "prod-*",
    "permissions": "deploy, traffic",
    "needs_reason": "True",
    "valid_hours": "24",
}
FREEZE = {**BASE, "begins": "2026-11-24T10:00", "ends": "2026-11-24T12:00", "zone": "UTC", "is_weekly": "False"}


@pytest.mark.parametrize(
    ("kind", "change", "is_weaker"),
    [
        (RULE, {}, False),
        (RULE, {"namespace": "*"}, False),
        (RULE, {"namespace": "prod-a*"}, True),
        (RULE, {"cluster": "other"}, True),
        (RULE, {"service": "shop"}, True),
        (RULE, {"selector": "a=b"}, True),
        (RULE, {"permissions": "deploy"}, True),
        (RULE, {"permissions": "deploy, traffic, delete"}, False),
        (RULE, {"needs_reason": "False"}, True),
        (RULE, {"valid_hours": "48"}, True),
        (RULE, {"valid_hours": "2"}, False),
        (RULE, {"owned": "warn"}, True),
        (RULE, {"approvers": "acted"}, False),
        (RULE, {"note": "another"}, False),
        (WINDOW, {"ends": "2026-11-24T11:59"}, True),
        (WINDOW, {"ends": "2026-11-24T13:00"}, False),
        (WINDOW, {"begins": "2026-11-24T10:01"}, True),
        (WINDOW, {"zone": "Asia/Tokyo"}, True),
    ],
)  # fmt: skip
def test_weaker_is_what_lets_more_pass(kind: str, change: dict[str, str], is_weaker: bool) -> None:
    before = (
        BASE if kind == RULE else {name: FREEZE[name] for name in FREEZE if name not in ("needs_reason", "valid_hours")}
    )
    assert weaker(kind, before, {**before, **change}) is is_weaker


def test_a_span_knows_its_moments() -> None:
    span = Span(RULE, {}, BEGIN, BEGIN + timedelta(hours=1))
    assert [span.holds_at(BEGIN + timedelta(minutes=minutes)) for minutes in (-1, 0, 59, 60)] == [
        False,
        True,
        True,
        False,
    ]
