"""`manage.py doctor`: say whether this installation is sound, and what to do about what is not."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.doctor.examination import examine
from console.doctor.findings import Level

SIGNS = {Level.OK: "ok      ", Level.WARNING: "warning ", Level.PROBLEM: "PROBLEM "}


class Command(BaseCommand):
    """Prints a line for each finding; exits with 1 when there is a problem, 0 with warnings only."""

    help = "Examine settings, keys, database, Redis, clocks, processes and clusters. Changes nothing."
    requires_system_checks = ()  # a database that fails is a finding

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON list of findings")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self.stdout.write(f"{SIGNS[finding.level]}{finding.part}: {finding.text}")
                if finding.advice:
                    self.stdout.write(f"        -> {finding.advice}")
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in found], indent=1))
        if any(finding.level is Level.PROBLEM for finding in found):
            raise SystemExit(1)
