"""`manage.py audit verify|export`: prove the log, or write it out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.audit import chain, export
from console.audit.models import Entry


class Command(BaseCommand):
    help = "verify: check the whole hash chain. export: write entries as JSON lines or CSV to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("verify")
        exporting = verbs.add_parser("export")
        exporting.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["verb"] == "export":
            write = export.json_lines if options["format"] == "jsonl" else export.csv_lines
            for line in write(Entry.objects.order_by("sequence").iterator(chunk_size=2000)):
                self.stdout.write(line, ending="")
            return
        result = chain.verify()
        if isinstance(result, chain.BrokenLink):
            raise CommandError(f"The chain is broken at entry {result.sequence}: {result.why}")
        self.stdout.write(f"{result} entries, the chain holds")
