"""`manage.py demo`: the demo's people, teams and grants, and two weeks of history for its sandbox."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.access.demo_people import make_people
from console.cluster.errors import ClusterError
from console.demo.history import write_history


class Command(BaseCommand):
    help = "Create the demo's users, teams and grants, and its history. Requires CONSOLE_DEMO."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo users have publicly known passwords. Set CONSOLE_DEMO=1 only on a demo console.")
        users = make_people()
        if not settings.DEMO_HISTORY:
            return
        try:
            write_history(users)
        except ClusterError as error:  # people can sign in all the same; the next start tries again
            self.stderr.write(f"The demo has no history yet: {error}")
