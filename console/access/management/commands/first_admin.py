"""`manage.py first_admin`: print the one-time link that makes the first administrator."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from console.access import first_admin


class Command(BaseCommand):
    help = "Print the link that makes the first administrator; it works once, for an hour."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not first_admin.needed():
            raise CommandError("There is an administrator already.")
        path = reverse("first-admin", kwargs={"token": first_admin.token()})
        self.stdout.write(f"{settings.EXTERNAL_URL.rstrip('/')}{path}")
