"""`manage.py first_admin`: print the one-time link that makes the first administrator."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from console import audit
from console.access import first_admin
from console.audit import Outcome
from console.audit.operators import operator


class Command(BaseCommand):
    help = "Print a link to create the first administrator. It works once, for one hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-needed", action="store_true", help="Print nothing if an administrator exists.")

    def handle(self, *_args: Any, if_needed: bool, **_options: Any) -> None:
        if first_admin.needed():
            audit.record("manage.FirstAdministratorLink", actor=operator(), outcome=Outcome.SUCCEEDED)
            path = reverse("first-admin", kwargs={"token": first_admin.token()})
            self.stdout.write(f"{settings.EXTERNAL_URL.rstrip('/')}{path}")
        elif not if_needed:
            raise CommandError("An administrator already exists.")
