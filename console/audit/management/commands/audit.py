"""`manage.py audit verify|export|checkpoint|retain`: prove the log, write it out, sign its head, archive old parts."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction
from django.utils import timezone

from console.audit import chain, checkpoints, export, policy, retention, totals, verification
from console.audit.manifest import EVERYTHING, Origin
from console.audit.models import Entry
from console.audit.operators import operator


class Command(BaseCommand):
    help = (
        "verify: check the whole hash chain. export: write entries as JSON lines or CSV to standard output. "
        "checkpoint: print the chain's signed head. retain: archive old entries, then remove them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verifying = verbs.add_parser("verify")
        verifying.add_argument("--checkpoint", type=Path, help="file with one checkpoint per line")
        verifying.add_argument(
            "--public-key", action="append", default=[], help="trust this key instead of the console's own"
        )
        verifying.add_argument(
            "--archive", type=Path, action="append", default=[], help="oldest first; may be repeated"
        )
        exporting = verbs.add_parser("export")
        exporting.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
        exporting.add_argument("--bom", action="store_true", help="begin a CSV with a byte order mark, for Excel")
        signing = verbs.add_parser("checkpoint")
        signing.add_argument("--public-key", action="store_true", help="print the public keys, newest first, instead")
        retaining = verbs.add_parser("retain")
        retaining.add_argument(
            "--days", type=int, help="keep entries that are younger than this; default: what the console has set"
        )
        retaining.add_argument("--yes", action="store_true", help="do not ask when that is less than what is set")
        retaining.add_argument("--archive", type=Path, required=True, help="path of the new archive file")

    def handle(self, *_args: Any, **options: Any) -> None:
        verb = {"verify": self.verify, "export": self.export, "checkpoint": self.checkpoint, "retain": self.retain}
        verb[options["verb"]](options)

    def verify(self, options: dict[str, Any]) -> None:
        try:
            signed = _checkpoints(options["checkpoint"], options["public_key"])
            count = verification.verify(_archived(options["archive"]), signed, options["public_key"])
        except chain.BrokenLink as broken:
            if not options["archive"]:  # a file may be the wrong one
                self._note(is_intact=False)
            raise CommandError(f"The chain is broken at entry {broken.sequence}: {broken.why}") from broken
        except checkpoints.CheckpointRefused as refused:
            raise CommandError(f"The checkpoint cannot be verified: {refused}") from refused
        except export.NotAnEntry as error:
            raise CommandError(f"The archive contains something other than entries: {error}") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        self._note(is_intact=True)
        proved = f", and has all of {len(signed)} checkpoints" if signed else ""
        self.stdout.write(f"{count} entries, the chain is intact{proved}")
        if not options["archive"] and (removed := chain.beginning().sequence):
            self.stderr.write(
                f"Warning: entries 1 to {removed} are not in the database. A retention row records that they were "
                "archived, but nothing here proves it. Pass every archive, oldest first, with --archive."
            )

    def _note(self, *, is_intact: bool) -> None:
        """For metrics. A database that may only be read can be verified as well."""
        try:
            with transaction.atomic():
                totals.note_verification(is_intact=is_intact)
        except DatabaseError as error:
            self.stderr.write(f"The result was not noted for /metrics: {type(error).__name__}")

    def export(self, options: dict[str, Any]) -> None:
        newest = chain.end().sequence
        entries = Entry.objects.filter(sequence__lte=newest).order_by("sequence").iterator(chunk_size=2000)
        origin = Origin(operator().name, EVERYTHING, "", chain.beginning().sequence + 1, newest)
        is_json = options["format"] == "jsonl"
        if options.get("bom") and not is_json:
            self.stdout.write(export.BOM, ending="")
        for line in export.signed_lines(entries, origin) if is_json else export.csv_lines(entries):
            self.stdout.write(line, ending="")

    def checkpoint(self, options: dict[str, Any]) -> None:
        lines = checkpoints.public_keys() if options["public_key"] else [checkpoints.make().to_line()]
        for line in lines:
            self.stdout.write(line)

    def retain(self, options: dict[str, Any]) -> None:
        days = _days(options["days"], is_sure=options["yes"], say=self.stderr.write)
        before = timezone.now() - timedelta(days=days)
        held = policy.first_held(policy.last_before(before))
        if held is not None:
            self.stderr.write(f"A legal hold covers entry {held}: it and all that follow it stay in the log.")
        try:
            kept = retention.retain(before, options["archive"], actor=operator())
        except chain.BrokenLink as broken:
            raise CommandError(
                f"The chain is broken at entry {broken.sequence}: {broken.why}. Nothing was removed."
            ) from broken
        except retention.Held as error:
            raise CommandError("A legal hold was placed meanwhile. Nothing was removed.") from error
        except OSError as error:
            raise CommandError(f"{error}. Nothing was removed.") from error
        self.stdout.write(f"{kept.count} entries archived; the log now starts after entry {kept.through}")


def _days(asked: int | None, *, is_sure: bool, say: Callable[[str], object]) -> int:
    """Return for how many days entries stay; asks at a terminal where that is less than what is set."""
    wanted = policy.policy().entries_days
    if asked is None or asked >= wanted:
        return wanted if asked is None else asked
    days = max(asked, policy.MIN_ENTRIES_DAYS)
    if days > asked:
        say(f"Entries stay for at least {days} days, whatever is asked for.")
    found = policy.removable(days, timezone.now())
    question = f"The console keeps entries for {wanted} days. Remove {found.count} entries older than {days} days?"
    if not is_sure:
        if not sys.stdin.isatty():
            raise CommandError(f"{question} There is no terminal to ask at: pass --yes. Nothing was removed.")
        if input(f"{question} Type yes: ").strip() != "yes":
            raise CommandError("Nothing was removed.")
    return days


def _checkpoints(path: Path | None, trusted: Sequence[str]) -> tuple[checkpoints.Checkpoint, ...]:
    """Return the file's checkpoints; raises CheckpointRefused, also for a file that has none."""
    if path is None:
        return ()
    signed = tuple(checkpoints.read(path.read_text(), trusted))
    if not signed:
        raise checkpoints.CheckpointRefused(f"{path} contains no checkpoints")
    return signed


def _archived(paths: Sequence[Path]) -> Iterator[Entry]:
    for path in paths:
        with path.open(encoding="utf8") as lines:
            yield from export.entries_from(lines)
