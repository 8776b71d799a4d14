"""`manage.py demo`: the demo's people, teams and grants."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from console.access.demo import DEMO_USERS
from console.access.models import Grant, Membership, Role, Team, User


class Command(BaseCommand):
    help = "Make the demo's users, teams and grants; refused unless CONSOLE_DEMO is set."

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo users have known passwords: set CONSOLE_DEMO=1 on a console that is only a demo.")
        for person in DEMO_USERS:
            user, created = User.objects.get_or_create(username=person.username, defaults={"is_demo": True})
            if created:
                user.set_password(person.password)
                user.is_superuser = person.username == "admin"
                user.save()
            team, _ = Team.objects.get_or_create(name=f"{person.role}s of everything")
            Membership.objects.get_or_create(user=user, team=team, defaults={"is_owner": person.role == "owner"})
            Grant.objects.get_or_create(team=team, role=Role.objects.get(name=person.role))
