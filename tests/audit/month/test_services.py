"""Question 5: what a service was at a moment, and what differs between two."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from tests.audit.month.month import (
    BEGINS,
    CART,
    CHECKOUT,
    EDGE_CHECKOUT,
    ENDS,
    ETL,
    LEDGER,
    PLACES,
    SECRET,
    STOREFRONT,
    TEMPORARY,
    TUESDAY,
    Month,
    at,
)
from tests.audit.month.reading import Auditor, Row
from tests.audit.month.services import LATEST
from tests.audit.month.truth import Place, State
from tests.sweeps import IS_WHOLE, sample

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
FILE = "/audit/service.json"
Facts = dict[tuple[str, str], str]


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def asked(place: Place, **moments: datetime) -> dict[str, str]:
    """The address of the question; moments with their offset."""
    names = {"cluster": place.cluster, "namespace": place.namespace, "service": place.name}
    return {**names, **{name: moment.isoformat() for name, moment in moments.items()}}


def rows(auditor: Auditor, place: Place, **moments: datetime) -> list[Row]:
    found: list[Row] = json.loads(auditor.export(FILE, posts=True, **asked(place, **moments)))["rows"]
    return found


def told(found: list[Row], side: str = "at") -> tuple[dict[str, str], Facts]:
    """What the answer rests on, and the facts."""
    record = {row["name"]: row[side] for row in found if row["kind"] == "record"}
    return record, {(row["kind"], row["name"]): row[side] for row in found if row["kind"] != "record" and row[side]}


def facts_of(place: Place, state: State) -> Facts:
    """The same of the truth; a variable's value never shows."""
    newest = f"{place.name}-{state.revision:05}"
    serving: dict[str, int] = defaultdict(int)
    for target, percent in state.split:
        serving[newest if target == LATEST else target] += percent
    return {
        ("image", "app"): state.image,
        **{("variable", f"app/{name}"): "value" for name in state.env},
        **{("label", name): value for name, value in state.labels.items()},
        **{("scale", f"{name}-scale"): value for name, value in state.scale.items()},
        **{("split", target): f"{percent}%" for target, percent in state.split},
        **{("serving", name): f"{percent}%" for name, percent in serving.items()},
    }


def moments_of(month: Month, place: Place) -> list[datetime]:
    """The moment of each change, one just before it, and one between."""
    known = [moment for moment, _ in month.truth.states[place] if moment >= at(1, 0)]
    found = sorted({*known, *(one - timedelta(seconds=1) for one in known), TUESDAY, ENDS})
    return found if IS_WHOLE else found[::9]


SEEN = (CHECKOUT, LEDGER, STOREFRONT, CART, ETL)


@pytest.mark.parametrize("place", sample(SEEN, one_in=3), ids=str)
def test_a_service_at_each_moment_of_the_month(month: Month, auditor: Auditor, place: Place) -> None:
    for moment in moments_of(month, place):
        record, facts = told(rows(auditor, place, at=moment))
        state = month.truth.state(place, moment)
        assert state is not None
        assert (record["recorded"], record["existed"], record["certain"]) == ("yes", "yes", "yes"), moment
        assert facts == facts_of(place, state), moment


@pytest.mark.parametrize("place", sample(PLACES, one_in=4), ids=str)
def test_what_differs_between_two_moments_and_nothing_else(month: Month, auditor: Auditor, place: Place) -> None:
    for first, second in ((at(5, 12), ENDS), (at(12, 0), at(22, 0)), (at(20, 12), at(20, 12))):
        found = rows(auditor, place, at=first, other=second)
        before, after = (month.truth.state(place, moment) for moment in (first, second))
        assert before is not None
        assert after is not None
        was, becomes = facts_of(place, before), facts_of(place, after)
        differing = {key for key in {*was, *becomes} if was.get(key) != becomes.get(key)}
        differing |= {("variable", f"app/{name}") for name in before.env if before.env[name] != after.env.get(name)}
        assert {(row["kind"], row["name"]) for row in found if row["differs"] == "yes"} == differing
        assert (told(found)[1], told(found, "other")[1]) == (was, becomes)


def test_a_change_that_nobody_watched_is_told_as_uncertain_until_it_was_seen(month: Month, auditor: Auditor) -> None:
    """Two hours without the cluster; after one of them somebody changed the service."""
    before, _ = told(rows(auditor, EDGE_CHECKOUT, at=at(24, 17, 59)))
    unsure, facts = told(rows(auditor, EDGE_CHECKOUT, at=at(24, 19, 30)))
    seen, later = told(rows(auditor, EDGE_CHECKOUT, at=at(24, 20, 1)))
    assert (before["certain"], unsure["certain"], seen["certain"]) == ("yes", "no", "yes")
    gap = [datetime.fromisoformat(unsure[name]) for name in ("nobody_watched_from", "nobody_watched_to")]
    assert gap == [at(24, 18), at(24, 20)]
    assert ("variable", "app/UNSEEN") not in facts
    assert ("variable", "app/UNSEEN") in later


def test_what_was_not_there_or_not_recorded_is_said(month: Month, auditor: Auditor) -> None:
    gone, facts = told(rows(auditor, TEMPORARY, at=at(29, 13)))
    assert (gone["recorded"], gone["existed"], facts) == ("yes", "no", {})
    there, _ = told(rows(auditor, TEMPORARY, at=at(29, 11)))
    assert there["existed"] == "yes"
    early, facts = told(rows(auditor, CHECKOUT, at=BEGINS - timedelta(days=1)))
    assert (early["recorded"], facts) == ("no", {})


def test_on_the_page_on_a_day_on_which_the_clocks_showed_an_hour_twice(month: Month, auditor: Auditor) -> None:
    """Half past two in Berlin came twice; an offset says which one."""
    half_past = [f"2026-10-25T02:30:30{offset}" for offset in ("+02:00", "+01:00")]
    states = [month.truth.state(EDGE_CHECKOUT, datetime.fromisoformat(moment)) for moment in half_past]
    assert [state and state.env["HALF_PAST_TWO"] for state in states] == ["first", "second"]
    names = asked(EDGE_CHECKOUT)
    found = json.loads(auditor.export(FILE, posts=True, **names, at=half_past[0], other=half_past[1]))["rows"]
    changed = [row["name"] for row in found if row["differs"] == "yes" and row["kind"] == "variable"]
    assert changed == ["app/HALF_PAST_TWO"]
    page = auditor.text("/audit/service/", **names, at=half_past[0], other=half_past[1])
    assert "HALF_PAST_TWO" in page
    assert SECRET not in page


def test_an_auditor_of_one_namespace_asks_about_its_services_alone(month: Month) -> None:
    nick = Auditor.named(month, "nick")
    assert told(rows(nick, CHECKOUT, at=TUESDAY))[0]["recorded"] == "yes"
    for place in (EDGE_CHECKOUT, STOREFRONT, ETL):
        assert nick.client.get("/audit/service/", asked(place, at=TUESDAY)).status_code in (403, 404)
        assert nick.client.post(FILE, query_params=asked(place, at=TUESDAY)).status_code in (403, 404)
