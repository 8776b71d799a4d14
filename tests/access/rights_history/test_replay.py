"""What the log alone says of rights at a moment is what the console itself decided then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from console.access import grants, members, people, roles, snapshots, teams
from console.access.actors import Actor
from console.access.authorization import rights_of
from console.access.changing import alone
from console.access.models import Grant, Membership, Role, Team, User
from console.access.permissions import Permission
from console.access.refusals import RuleBroken
from console.access.rights_history import moments
from console.access.scopes import Scope
from console.access.signals import join_teams_of_groups
from console.audit.models import Entry
from console.knative.references import ServiceRef
from tests.sweeps import IS_WHOLE

SHOP, PAYMENTS = ServiceRef("box", "shop", "cart"), ServiceRef("edge", "payments", "pay")
LABELLED = {"app": "cart"}
ASKED = ((SHOP, {}), (SHOP, LABELLED), (PAYMENTS, {}), (None, None))
SCOPES = (Scope("*", "*"), Scope("box", "shop"), Scope("*", "pay*"), Scope("box", "*", LABELLED))
Decisions = frozenset[tuple[str, str, int]]


def decisions(now: datetime) -> Decisions:
    """What the console's own authorization says to everybody's every permission on each of ASKED."""
    return frozenset(
        (person.username, permission.value, number)
        for person in User.objects.all()
        for rights in (rights_of(person, now),)
        for number, (ref, labels) in enumerate(ASKED)
        for permission in Permission
        if rights.allows(permission, ref, labels)
    )


def replayed(moment: datetime, now: datetime | None = None) -> Decisions:
    """The same from the log alone."""
    state = moments.state_at(moment).state
    return frozenset(
        (person.name, permission.value, number)
        for person in state.people
        for rights in (state.rights_of(person, now or moment),)
        for number, (ref, labels) in enumerate(ASKED)
        for permission in Permission
        if rights.allows(permission, ref, labels)
    )


def one_of(model: Any, number: int) -> Any:
    found = list(model.objects.order_by("pk"))
    return found[number % len(found)] if found else None


def _ends(number: int) -> datetime | None:
    """For good, in the past, soon, later."""
    return (None, timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1))[number % 3]


def _from_groups(person: User, number: int) -> None:
    groups = [f"group{one}" for one in range(3) if number & 1 << one]
    data = {"userinfo": {"groups": groups}}
    SocialAccount.objects.update_or_create(user=person, uid=str(person.pk), defaults={"extra_data": data})
    join_teams_of_groups(person)


def _held(number: int) -> list[Permission]:
    return [permission for bit, permission in enumerate(Permission) if number & 1 << bit % 5]


def base(root: User) -> None:
    """Two teams with people, a role of their own each, and one who is there for a time."""
    ann, ben = (people.create(name, **by(root))[0] for name in ("ann", "ben"))
    for number, owner in enumerate((ann, ben)):
        team = teams.create(f"base{number}", owner, **by(root))
        own = roles.create(f"own{number}", ["deploy", "approve", "manage"][number:], **by(root))
        grants.add(team, own, SCOPES[number], **by(root))
    members.add(team, ann, is_owner=True, expires_at=_ends(2), **by(root))


By = dict[str, Any]
STEPS: tuple[Callable[[By, int, int], object], ...] = (
    lambda by, n, m: people.create(f"person{n}", **by),
    lambda by, n, m: people.set_active(one_of(User, n), bool(m % 2), **by),
    lambda by, n, m: people.set_administrator(one_of(User, n), bool(m % 2), **by),
    lambda by, n, m: roles.create(f"role{n}", _held(m), **by),
    lambda by, n, m: roles.edit(one_of(Role, n), one_of(Role, n).name, _held(m), **by),
    lambda by, n, m: roles.edit(one_of(Role, n), f"renamed{m}", one_of(Role, n).permissions, **by),
    lambda by, n, m: roles.delete(one_of(Role, n), **by),
    lambda by, n, m: teams.create(f"team{n}", one_of(User, m), **by),
    lambda by, n, m: teams.edit(one_of(Team, n), f"renamed{m}", f"group{m % 3}", **by),
    lambda by, n, m: teams.delete(one_of(Team, n), **by),
    lambda by, n, m: members.add(one_of(Team, n), one_of(User, m), is_owner=n % 2 == 0, expires_at=_ends(n + m), **by),
    lambda by, n, m: members.edit(one_of(Membership, n), is_owner=m % 2 == 0, expires_at=_ends(m), **by),
    lambda by, n, m: members.remove(one_of(Membership, n), **by),
    lambda by, n, m: grants.add(one_of(Team, n), one_of(Role, m), SCOPES[(n + m) % len(SCOPES)], **by),
    lambda by, n, m: grants.add(one_of(Team, m), one_of(Role, n), SCOPES[m % len(SCOPES)], **by),
    lambda by, n, m: grants.remove(one_of(Grant, n), **by),
    lambda by, n, m: _from_groups(one_of(User, n), m),
)


def take(step: int, n: int, m: int, root: User) -> None:
    """Make the change where the domain lets it be made: what it refuses changes nothing."""
    try:
        STEPS[step](by(root), n, m)
    except (RuleBroken, AttributeError):  # refused, or there is no such row yet
        return


def by(user: User) -> By:
    return {"user": user, "actor": Actor(user.pk, user.get_username())}


class TestHistories(TestCase):
    @settings(max_examples=60 if IS_WHOLE else 4, suppress_health_check=[HealthCheck.too_slow])
    @example([(step, 1 + step % 3, step) for step in range(len(STEPS))])
    @example([(3, 7, 3), (13, 0, 8), (5, 8, 1), (4, 8, 31), (15, 2, 0), (6, 8, 0), (9, 0, 0), (8, 0, 1), (16, 1, 2)])
    @given(st.lists(st.tuples(*(st.integers(0, most) for most in (len(STEPS) - 1, 7, 31))), min_size=8, max_size=30))
    def test_at_each_moment_the_log_alone_answers_as_the_console_did(self, steps: list[tuple[int, int, int]]) -> None:
        root = User.objects.create_superuser("root", password="x")
        base(root)
        snapshots.check()
        then: list[tuple[datetime, Decisions]] = []
        for number, step in enumerate(steps):
            take(*step, root)
            if number == len(steps) // 2:  # as each week
                with alone():
                    snapshots.write(snapshots.WEEKLY)
            now = timezone.now()
            then.append((now, decisions(now)))
        later = now + timedelta(hours=2)
        afterwards = decisions(later)
        assert not snapshots.check(), Entry.objects.first().text
        for model in (Membership, Grant, Team, Role, User):
            model.objects.all().delete()
        assert [replayed(moment) for moment, _ in then] == [decided for _, decided in then]
        assert replayed(now, later) == afterwards
