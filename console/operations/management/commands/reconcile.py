"""`manage.py reconcile`: operations that nobody works on, and handing them to workers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.operations.queue import enqueue, left_behind


class Command(BaseCommand):
    """Does by hand what the sweep does every few seconds; prints each operation that it finds."""

    help = "Enqueue operations again that no worker holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="print them without enqueueing")

    def handle(self, *_args: Any, **options: Any) -> None:
        for operation in left_behind():
            word = "found"
            if not options["dry_run"]:
                word = "handed over" if enqueue(operation) else "not enqueued: the broker is not responding"
            self.stdout.write(f"{operation.id} {operation.ref} {operation.status}: {word}")
