"""Who reads the log reads what their grants with `audit` cover, and no more."""

from __future__ import annotations

import pytest

from console import audit
from console.access import labels
from console.access.actors import CONSOLE, Actor
from console.access.auditing import visible_entries
from console.access.authorization import rights_of
from console.access.models import Grant, Membership, Role, Team, User
from console.audit import Outcome
from console.knative.references import ServiceRef

REFS = [
    ServiceRef("box", "shop-front", "web"),
    ServiceRef("box", "shop-back", "api"),
    ServiceRef("box", "shopping", "list"),
    ServiceRef("other", "shop-front", "web"),
    ServiceRef("box", "", ""),
]


@pytest.fixture
def log(db) -> None:
    """Entries 1 to 5 about the places above, and 6 about none."""
    for ref in [*REFS, None]:
        audit.record("test", actor=CONSOLE, ref=ref, outcome=Outcome.SUCCEEDED)


def member(*grants: dict[str, str], role: str = "auditor") -> User:
    user = User.objects.create_user("anna")
    team = Team.objects.create(name="auditors of something")
    Membership.objects.create(user=user, team=team)
    for grant in grants:
        Grant.objects.create(team=team, role=Role.objects.get(name=role), **grant)
    return user


def seen(user: User) -> list[int]:
    return sorted(visible_entries(rights_of(user)).values_list("sequence", flat=True))


@pytest.mark.parametrize(
    ("grants", "numbers"),
    [
        ([{"cluster": "box", "namespace": "shop-front"}], [1]),
        ([{"cluster": "box", "namespace": "shop-*"}], [1, 2]),
        ([{"cluster": "*", "namespace": "shop-front"}], [1, 4]),
        ([{"cluster": "box", "namespace": "*"}], [1, 2, 3, 5]),
        ([{"cluster": "*", "namespace": "*"}], [1, 2, 3, 4, 5, 6]),
        ([{"cluster": "box", "namespace": "shop-front"}, {"cluster": "other", "namespace": "*"}], [1, 4]),
        ([{"cluster": "box", "namespace": "shop%"}], []),
        ([{"cluster": "box", "namespace": "shop_front"}], []),
        ([], []),
    ],
)
def test_patterns_decide_what_is_seen(log, grants: list[dict[str, str]], numbers: list[int]) -> None:
    assert seen(member(*grants)) == numbers


def test_a_role_without_audit_shows_nothing(log) -> None:
    assert seen(member({"cluster": "*", "namespace": "*"}, role="deployer")) == []


def test_an_administrator_sees_everything(log) -> None:
    assert len(seen(User.objects.create_superuser("root"))) == 6


def test_a_selector_shows_services_that_match_it_now(log, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [(REFS[0], {"team": "front"}), (REFS[1], {"team": "back"}), (REFS[3], {"team": "front"})]
    monkeypatch.setattr(labels, "_services", lambda: now)
    assert seen(member({"cluster": "*", "namespace": "*", "selector": "team=front"})) == [1, 4]


def test_an_entry_keeps_the_roles_and_the_team_that_allowed_it(db) -> None:
    user = member({"cluster": "box", "namespace": "shop-*"}, role="deployer")
    other = Team.objects.create(name="a team that only looks")
    Membership.objects.create(user=user, team=other)
    Grant.objects.create(team=other, role=Role.objects.get(name="viewer"))
    actor = Actor(user.pk, "anna")
    entry = audit.record("deploy.SetEnv", actor=actor, ref=REFS[0], outcome=Outcome.REQUESTED)
    assert (entry.roles, entry.team) == ("deployer", "auditors of something")
    entry = audit.record("deploy.refused", actor=actor, ref=REFS[2], outcome=Outcome.REFUSED)
    assert (entry.roles, entry.team) == ("viewer", "a team that only looks")
    entry = audit.record("session.sign-in", actor=actor, outcome=Outcome.SUCCEEDED)
    assert (entry.roles, entry.team) == ("deployer,viewer", "")


def test_roles_of_a_selector_count_where_the_labels_match(db, monkeypatch: pytest.MonkeyPatch) -> None:
    user = member({"cluster": "*", "namespace": "*", "selector": "team=front"}, role="owner")
    actor = Actor(user.pk, "anna")
    told = audit.record("deploy.SetEnv", actor=actor, ref=REFS[0], outcome=Outcome.REQUESTED, labels={"team": "front"})
    assert told.roles == "owner"

    def away(_ref):
        raise ConnectionError

    monkeypatch.setattr(labels, "_source", away)
    monkeypatch.setattr(labels, "_failures", (ConnectionError,))
    unknown = audit.record("deploy.SetEnv", actor=actor, ref=REFS[0], outcome=Outcome.REQUESTED)
    assert unknown.roles == ""  # the entry is written all the same


def test_the_console_itself_has_no_role(log) -> None:
    user = User.objects.create_superuser("root")
    assert audit.record("x", actor=CONSOLE, outcome=Outcome.SUCCEEDED).roles == ""
    assert audit.record("x", actor=Actor(user.pk, "root"), outcome=Outcome.SUCCEEDED).roles == "administrator"
