"""`manage.py reseal`: re-encrypt cluster credentials, queued changes and second factors with the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console import audit
from console.access import second_factors
from console.audit import Outcome
from console.audit.operators import operator
from console.registry.resealing import reseal_all


class Command(BaseCommand):
    help = "Re-encrypt all stored secrets with the first of CONSOLE_ENCRYPTION_KEYS, so that the others can be removed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove-lost-second-factors",
            action="store_true",
            help="remove second factors that no key decrypts: their people then sign in with the password alone",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["remove_lost_second_factors"]:
            for removed in second_factors.remove_lost():
                self.stdout.write(f"removed: {removed}")
        counts = [*reseal_all(), second_factors.reseal()]
        for count in counts:
            self.stdout.write(
                f"{count.column}: {count.resealed} re-encrypted, {count.newest} already used the newest key"
            )
        text = "; ".join(
            f"{count.column}: {count.resealed} of {count.resealed + count.newest + count.lost}" for count in counts
        )
        audit.record("manage.Reseal", actor=operator(), outcome=Outcome.SUCCEEDED, text=text)
        if lost := [count for count in counts if count.lost]:
            words = ", ".join(f"{count.lost} of {count.column}" for count in lost)
            raise CommandError(
                f"No key in CONSOLE_ENCRYPTION_KEYS decrypts {words}. Add the key they were encrypted with."
            )
