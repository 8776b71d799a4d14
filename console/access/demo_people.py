"""Making the demo's people, teams and grants."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from console.access.demo import DEMO_TEAMS, DEMO_USERS, DemoTeam, DemoUser
from console.access.models import Grant, Membership, Role, Team, User


@transaction.atomic
def make_people() -> dict[str, User]:
    """Make what is missing of the demo's users, teams and grants; return the users by name."""
    people = {person.username: _person(person) for person in DEMO_USERS}
    for team in DEMO_TEAMS:
        _team(team, people)
    return people


def _person(person: DemoUser) -> User:
    user, created = User.objects.get_or_create(username=person.username, defaults={"is_demo": True})
    if created:
        user.set_password(person.password)
        user.is_superuser = person.username == "admin"
        user.save()
    return user


def _team(team: DemoTeam, people: dict[str, User]) -> None:
    """Make the team once; what people of the demo change in it afterwards stays."""
    made, created = Team.objects.get_or_create(name=team.name)
    if not created:
        return
    Membership.objects.create(team=made, user=people[team.owner], is_owner=True)
    for name in team.members:
        Membership.objects.create(team=made, user=people[name])
    for name in team.left:
        yesterday = timezone.now() - timedelta(days=1)
        Membership.objects.create(team=made, user=people[name], expires_at=yesterday)
    for role, namespace in team.grants:
        Grant.objects.create(team=made, role=Role.objects.get(name=role), namespace=namespace)
