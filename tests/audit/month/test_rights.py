"""Questions 1 and 2: who has access now and by what; who could deploy to payments on a Tuesday at 14:00, and why."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.audit.month.month import BEGINS, CHECKOUT, CLUSTERS, ENDS, ETL, PLACES, TUESDAY, Month, at
from tests.audit.month.reading import Auditor
from tests.audit.month.truth import ADMINISTRATOR, Place, Why
from tests.sweeps import sample

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]
RIGHTS, ACCESS = "/audit/rights.json", "/audit/access.json"


@pytest.fixture
def auditor(month: Month) -> Auditor:
    return Auditor.named(month, "olga")


def answer(auditor: Auditor, address: str, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(auditor.export(address, posts=True, **query))
    assert found["is_complete"]
    assert found.get("log_is_complete", True), found["in_doubt"]
    return found


def ways(month: Month, rows: list[dict[str, Any]]) -> set[Why]:
    """The rows with people by the month's keys, as accounts say them: two accounts may have had one name."""
    keys = {user.pk: key for key, user in month.people.users.items()}
    found = set()
    for row in rows:
        is_grant = row["reason"] == "grant"
        scope = f"{row['cluster']}/{row['namespace']}" if is_grant else ""
        key = keys[row["person_id"]]
        assert month.people.users[key].username == row["person"]
        found.add(Why(key, row["role"], row["team"], scope))
        assert bool(row["entries"]) or key == "ada"  # the first administrator was there before the log
    return found


MOMENTS = [
    TUESDAY,
    TUESDAY + timedelta(minutes=31),  # the grant of an hour is over
    at(8, 11),  # somebody is a member for some days
    at(
        13,
        13,
        58,
    ),
    at(13, 13, 59),  # and from this moment on no longer
    at(15, 18),  # somebody left
    at(18, 12),  # under a team's new name
    at(20, 12),  # a role was raised
    at(21, 12),  # an account was deleted from the database
    at(25, 12),  # somebody else has its name
    at(28, 12),  # another team has the former name of one
    ENDS,
]


@pytest.mark.parametrize("moment", sample(MOMENTS, one_in=4), ids=lambda moment: f"{moment:%d %H:%M}")
def test_who_could_do_what_at_a_moment_and_why(month: Month, auditor: Auditor, moment: datetime) -> None:
    for place, permission in ((CHECKOUT, "deploy"), (CHECKOUT, "approve"), (ETL, "deploy"), (ETL, "operate")):
        asked = {"cluster": place.cluster, "namespace": place.namespace, "permission": permission}
        found = answer(auditor, RIGHTS, at=moment.isoformat(), **asked)
        assert found["moment"] == moment.isoformat()
        assert ways(month, found["rows"]) == month.truth.ways(moment, permission, place), (place, permission)


def test_on_the_page_at_a_time_of_the_auditors_own_zone(month: Month, auditor: Auditor) -> None:
    query = {"at": "2026-10-13", "at_time": "22:00", "zone": "Asia/Shanghai"}
    rows = auditor.rows("/audit/rights/", **query, cluster="box", namespace="payments", permission="deploy")
    told = month.truth.ways(TUESDAY, "deploy", CHECKOUT)
    assert sorted(row["Person"] for row in rows) == sorted(month.people.users[one.person].username for one in told)
    for one in told:
        row = next(row for row in rows if row["Person"] == month.people.users[one.person].username)
        words = "Administrator." if one.role == ADMINISTRATOR else f"Role {one.role} via team {one.team}"
        assert words in row["Reason"]
    page = auditor.text("/audit/rights/", **query)
    assert "2026-10-13 14:00:00 UTC" in page


def test_what_the_log_does_not_know_is_said_to_be_unknown(month: Month, auditor: Auditor) -> None:
    before = json.loads(auditor.export(RIGHTS, posts=True, at=(BEGINS - timedelta(hours=1)).isoformat()))
    assert (before["log_is_complete"], before["rows"]) == (False, [])
    unsure = json.loads(auditor.export(RIGHTS, posts=True, at=at(21, 9, 30).isoformat()))
    assert not unsure["log_is_complete"]  # an account was deleted at the server, and the next check found it gone
    assert f"removed person {month.people.users['the first gus'].pk}" in unsure["in_doubt"]


@pytest.mark.parametrize("place", sample(PLACES, one_in=3), ids=str)
def test_who_has_access_now_by_place(month: Month, auditor: Auditor, place: Place) -> None:
    for permission in ("view", "deploy", "approve", "audit", "manage"):
        asked = {"cluster": place.cluster, "namespace": place.namespace, "permission": permission}
        found = answer(auditor, ACCESS, view="places", **asked)
        assert ways(month, found["rows"]) == month.truth.ways(ENDS, permission, place), (place, permission)


def test_who_has_access_now_by_person(month: Month, auditor: Auditor) -> None:
    rows = {row["person"]: row for row in answer(auditor, ACCESS, view="people")["rows"]}
    users, truth = month.people.users, month.truth
    keys = [key for key in users if key != "the first gus"]
    assert rows.keys() == {users[key].username for key in keys}
    active = {one.person: one for one in truth.accounts if one.holds(ENDS)}
    for key in keys:
        row, name = rows[users[key].username], users[key].username
        assert row["state"] == ("active" if key in active else "deactivated")
        assert row["administrator"] == (key in active and active[key].is_administrator)
        assert row["source"] == {"ines": "identity-provider"}.get(key, "local")
        teams = {truth.name_of(one.team, ENDS) for one in truth.members if one.person == key and one.holds(ENDS)}
        assert {team.partition(" (")[0] for team in row["teams"]} == teams
        if key == "olga":
            continue  # who reads this, and has just signed in
        signed_in = [one.at for one in truth.acts if one.account == users[key].pk and one.action == "session.sign-in"]
        assert row["last_sign_in"] == (f"{signed_in[-1]:%Y-%m-%dT%H:%M}Z" if signed_in else "")
        assert name in row["person"]
    assert {"totp", "recovery_codes"} == set(rows["hal"]["second_factor"])
    assert [row["person"] for row in rows.values() if row["tokens"]] == ["robot-payments"]
    assert "ci (" in rows["robot-payments"]["tokens"][0]
    assert "view on box/payments" in rows["robot-payments"]["tokens"][0]


def test_an_auditor_of_one_namespace_learns_nothing_of_others(month: Month, auditor: Auditor) -> None:
    nick = Auditor.named(month, "nick")
    mine = {"cluster": "box", "namespace": "payments"}
    for moment in (TUESDAY, ENDS):
        found = answer(nick, RIGHTS, at=moment.isoformat(), **mine)
        assert ways(month, found["rows"]) == ways(month, answer(auditor, RIGHTS, at=moment.isoformat(), **mine)["rows"])
    for cluster in CLUSTERS:
        for namespace in ("shop", "data", "payments"):
            if (cluster, namespace) != ("box", "payments"):
                asked = {"cluster": cluster, "namespace": namespace}
                assert json.loads(nick.export(RIGHTS, posts=True, at=ENDS.isoformat(), **asked))["rows"] == []
    text = nick.export(ACCESS, posts=True, view="people") + nick.text("/audit/access/")
    for hidden in ("tuner", "box/shop", "box/data", "edge/"):
        assert hidden not in text, hidden
