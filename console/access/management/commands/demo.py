"""`manage.py demo`: the demo's people, teams and grants."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from console.access.demo import DEMO_TEAMS, DEMO_USERS, DemoTeam, DemoUser
from console.access.models import Grant, Membership, Role, Team, User


class Command(BaseCommand):
    help = "Create the demo's users, teams and grants. Requires CONSOLE_DEMO."

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo users have publicly known passwords. Set CONSOLE_DEMO=1 only on a demo console.")
        people = {person.username: self._person(person) for person in DEMO_USERS}
        for team in DEMO_TEAMS:
            self._team(team, people)

    def _person(self, person: DemoUser) -> User:
        user, created = User.objects.get_or_create(username=person.username, defaults={"is_demo": True})
        if created:
            user.set_password(person.password)
            user.is_superuser = person.username == "admin"
            user.save()
        return user

    def _team(self, team: DemoTeam, people: dict[str, User]) -> None:
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
