"""Each way in which rights come into being is in the log; what came without an entry is found and told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from console.access import first_admin, members, people, roles, snapshots, teams
from console.access.actors import CONSOLE, Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.access.rights_history import moments, rows
from console.access.rights_history.rows import NotARow
from console.access.rights_history.state import State
from console.audit import redactions
from console.audit.models import Entry
from console.audit.retention import retain
from console.audit.verification import verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root", password="x")


def by(user: User) -> dict[str, object]:
    return {"user": user, "actor": Actor(user.pk, user.get_username())}


def logged() -> State:
    return moments.state_at(timezone.now()).state


def names(state: State) -> list[str]:
    return [person.name for person in state.people]


def test_before_the_first_snapshot_nothing_is_claimed(root: User) -> None:
    people.create("ann", **by(root))
    assert (names(logged()), moments.known().covers(timezone.now())) == ([], False)
    before = timezone.now()
    assert snapshots.check()
    assert names(logged()) == ["ann", "root"]
    assert (moments.known().covers(before), moments.known().covers(timezone.now())) == (False, True)
    assert not snapshots.check()


def test_the_first_administrator_is_in_the_log() -> None:
    snapshots.check()
    fields = {"username": "first", "password1": "a-long-passw0rd-of-theirs", "password2": "a-long-passw0rd-of-theirs"}
    assert Client().post(f"/first-administrator/{first_admin.token()}/", fields).status_code == 302
    assert [(one.name, one.administrator) for one in logged().people] == [("first", True)]
    assert not snapshots.check()


def test_what_goes_with_a_deleted_team_is_in_its_entry(root: User) -> None:
    snapshots.check()
    team = teams.create("Shop", root, **by(root))
    Grant.objects.create(team=team, role=Role.objects.get(name="viewer"))
    snapshots.check()
    teams.delete(team, **by(root))
    assert {key[0] for key in logged().rows} == {"person", "role"}
    assert not snapshots.check()


def test_a_change_without_an_entry_is_told_with_its_rows_and_the_time_in_doubt(root: User) -> None:
    snapshots.check()
    before = timezone.now()
    Role.objects.filter(name="viewer").update(permissions=["view", "deploy"])
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    assert snapshots.check()
    viewer = Role.objects.get(name="viewer")
    told = f"changed person {root.pk}, changed role {viewer.pk}"
    assert Entry.objects.get(text__startswith="differs").text == f"differs, part 1 of 1: {told}"
    doubt = moments.known().doubt(before)
    assert doubt
    assert doubt.told == told
    assert moments.known().doubt(timezone.now()) is None
    assert not logged().people[0].administrator


def test_each_week_and_however_many_rows_there_are(root: User) -> None:
    User.objects.bulk_create(User(username=f"person{number:04}") for number in range(snapshots.PART + 1))
    snapshots.write(snapshots.BEGAN, at=timezone.now() - timedelta(days=8))
    assert len({(one.at, one.text.partition(",")[0]) for one in Entry.objects.all()}) == 1
    assert Entry.objects.count() == 2
    assert snapshots.check()
    assert Entry.objects.filter(text__startswith="weekly").count() == 2
    assert len(logged().people) == snapshots.PART + 2
    assert verify() == 4


def test_after_the_archive_took_the_beginning_the_rest_still_answers(root: User, tmp_path) -> None:
    old = timezone.now() - timedelta(days=30)
    snapshots.write(snapshots.BEGAN, at=old)
    snapshots.write(snapshots.WEEKLY, at=old + timedelta(days=7))
    people.create("ann", **by(root))
    cut = old + timedelta(days=3)
    retain(cut, tmp_path / "archive.jsonl", actor=CONSOLE)
    assert moments.known().since == old + timedelta(days=7)
    assert names(logged()) == ["ann", "root"]


def test_a_snapshot_keeps_which_entry_gave_a_right(root: User) -> None:
    snapshots.check()
    team = teams.create("Shop", root, **by(root))
    added = Entry.objects.get(action="manage.CreateTeam").sequence
    snapshots.write(snapshots.WEEKLY)
    assert moments.current().entries["team", team.pk] == added
    roles.edit(Role.objects.get(name="viewer"), "viewer", ["view"], **by(root))
    assert logged().entries["team", team.pk] == added


def test_a_redacted_row_is_not_guessed(root: User) -> None:
    snapshots.check()
    people.create("ann", **by(root))
    entry = Entry.objects.get(action="manage.CreatePerson")
    field = next(number for number, change in enumerate(entry.changes) if rows.is_of_rights(change["field"]))
    redactions.redact(entry.sequence, f"changes[{field}].after", reason="asked for", actor=CONSOLE)
    found = moments.state_at(timezone.now())
    assert (names(found.state), found.unreadable) == (["root"], [entry.sequence])
    assert snapshots.check()
    assert moments.state_at(timezone.now()).unreadable == []


def test_a_membership_that_ends_is_judged_at_the_moment_and_not_at_the_entry(root: User) -> None:
    snapshots.check()
    team = teams.create("Shop", root, **by(root))
    Grant.objects.create(team=team, role=Role.objects.get(name="viewer"))
    ann, _token = people.create("ann", **by(root))
    until = datetime(2030, 1, 1, 12, tzinfo=UTC)
    members.add(team, ann, is_owner=False, expires_at=until, **by(root))
    snapshots.check()
    state = logged()
    person = next(one for one in state.people if one.name == "ann")
    held = [list(state.held_by(person, until + timedelta(seconds=offset))) for offset in (-1, 0)]
    assert [len(one) for one in held] == [1, 0]
    assert Membership.objects.count() == 2


def test_an_end_within_the_same_minute_is_neither_written_nor_recorded(root: User) -> None:
    team = teams.create("Shop", root, **by(root))
    ann, _token = people.create("ann", **by(root))
    until = datetime(2030, 1, 1, 12, 0, 10, tzinfo=UTC)
    members.add(team, ann, is_owner=False, expires_at=until, **by(root))
    snapshots.check()
    membership = Membership.objects.get(user=ann)
    members.edit(membership, is_owner=False, expires_at=until + timedelta(seconds=20), **by(root))
    assert Membership.objects.get(user=ann).expires_at == until
    assert not snapshots.check()


def test_the_demos_log_begins_with_everybodys_rights(settings) -> None:
    settings.DEMO = True
    call_command("demo")
    assert snapshots.check()
    assert names(logged()) == ["admin", "deployer", "viewer"]


@pytest.mark.parametrize("text", ["", "redacted", "[]", "3", '{"name":"x"}'])
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(NotARow):
        rows.read(("person", 1), text)


def test_facts_of_a_later_version_are_passed_over() -> None:
    row = rows.Team(3, "Shop", "")
    assert rows.read(("team", 3), rows.text(row, 12).replace("{", '{"colour":"red",')) == row
    assert rows.key_in("rights.team.3") == ("team", 3)
    assert [rows.key_in(field) for field in ("rights.colour.3", "rights.team.x", "name", "rights.team")] == [None] * 4
    assert Team.objects.count() == 0
