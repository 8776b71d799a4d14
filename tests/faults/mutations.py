"""Proof that the tests guard what they should: each small fault put into a copy of the source makes a test fail.

`python -m tests.faults.mutations` prints each mutation with the test that it fails, and exits 1 when one survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 180
AT_ONCE = 3  # each starts a pytest and a sandbox, which wait a good part of their time
NOT_COPIED = (".git", ".venv", ".cache", "var", "test-artifacts", "static", "node_modules")


@dataclass(frozen=True)
class Mutation:
    """A fault: what is replaced in a file, and the tests that must notice."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


RECOVERY = "tests/operations/engine/test_recovery.py"
ENGINE = "tests/operations/engine/test_run.py"
PREVIEW = "tests/operations/submitting/test_previewing.py"
PROTECTION = "tests/operations/protection/test_protection.py"
CLAIMS = "tests/operations/engine/test_claims.py"
LATE = "tests/operations/external/test_late_writes.py"
NOTHING = "tests/operations/engine/test_nothing_changed.py"

MUTATIONS = (
    Mutation(
        "skip the lease",
        "console/operations/engine/leases.py",
        "    free = Q(lease_until=None) | Q(lease_until__lt=Now())\n",
        "    free = Q()\n",
        (f"{RECOVERY}::test_a_lease_keeps_others_out_until_it_runs_out",),
    ),
    Mutation(
        "forget the fencing token in writes",
        "console/operations/engine/leases.py",
        "id=operation.id, attempt=operation.attempt, status__in=ACTIVE)",
        "id=operation.id, status__in=ACTIVE)",
        (f"{RECOVERY}::test_a_lease_keeps_others_out_until_it_runs_out",),
    ),
    Mutation(
        "let every copy of a message begin a turn",
        "console/operations/engine/leases.py",
        "        free &= Q(attempt=turn)\n",
        "        pass\n",
        (f"{RECOVERY}::test_a_message_that_comes_again_is_void",),
    ),
    Mutation(
        "drop the resourceVersion",
        "console/operations/engine/writing.py",
        "    return service.with_annotations({**service.annotations, **signatures})\n",
        "    signed = service.with_annotations({**service.annotations, **signatures})\n"
        '    del signed.raw["metadata"]["resourceVersion"]\n'
        "    return signed\n",
        (f"{RECOVERY}::test_what_is_written_between_reading_and_writing_is_not_lost",),
    ),
    Mutation(
        "do not look whether the write happened",
        "console/operations/engine/writing.py",
        "    if fresh is None or fresh.annotations.get(OPERATION) != str(operation.id):\n",
        "    if True:\n",
        (f"{RECOVERY}::test_a_worker_that_dies_at_any_step_is_followed_by_another",),
    ),
    Mutation(
        "forget observedGeneration",
        "console/knative/progress.py",
        "if service.is_settled and service.generation == self.generation:",
        "if service.generation == self.generation:",
        (f"{ENGINE}::test_yesterdays_failure_is_not_todays",),
    ),
    Mutation(
        "enqueue before the commit",
        "console/operations/submitting/submission.py",
        "    after_commit(enqueue, operation)\n    after_commit(tell",
        "    enqueue(operation)\n    after_commit(tell",
        (f"{PREVIEW}::test_submitting_hands_over_after_the_commit_only",),
    ),
    Mutation(
        "let an end be left",
        "console/operations/models/triggers.py",
        "for status in TERMINAL",
        "for status in TERMINAL[:0] or ()",
        (f"{RECOVERY}::test_an_end_is_final_in_the_database",),
    ),
    Mutation(
        "let two operations write at once",
        "console/operations/migrations/0003_turns.py",
        'condition=models.Q(("status", "running"))',
        'condition=models.Q(("status", "never"))',
        (f"{RECOVERY}::test_only_one_operation_of_a_service_can_be_writing",),
    ),
    Mutation(
        "ignore a late cancellation",
        "console/operations/engine/turns.py",
        "only_if=Q(cancel_requested=False), ",
        "",
        (f"{RECOVERY}::test_a_cancellation_that_comes_while_a_worker_prepares_counts",),
    ),
    Mutation(
        "write over a conflict",
        "console/operations/engine/last_writer.py",
        "    if found:\n        conflicts",
        "    if found and False:\n        conflicts",
        (f"{ENGINE}::test_a_conflict_shows_both_sides_and_writes_nothing",),
    ),
    Mutation(
        "keep the old right",
        "console/operations/engine/writing.py",
        "        refuse_unless_allowed(rights_of(operation.user), operation.ref, needs)",
        "        pass",
        (f"{ENGINE}::test_a_right_that_was_taken_away_counts_at_the_write",),
    ),
    Mutation(
        "ask at the submission only",
        "console/operations/engine/writing.py",
        "    if cause := objection(operation, needs):\n",
        "    if (cause := objection(operation, needs)) and not cause:\n",
        (f"{PROTECTION}::test_what_becomes_protected_or_frozen_before_the_write_is_not_written",),
    ),
    Mutation(
        "let two people decide",
        "console/operations/protection/approvals.py",
        "id=operation.id, status=Status.WAITING)\n    if not waiting.update",
        "id=operation.id)\n    if not waiting.update",
        (f"{PROTECTION}::test_of_two_decisions_at_once_the_first_wins",),
    ),
    Mutation(
        "run what was not approved",
        "console/operations/protection/gate.py",
        "    if approval.digest != digest(operation):\n",
        "    if False:\n",
        (f"{PROTECTION}::test_an_approval_is_of_what_was_shown",),
    ),
    Mutation(
        "claim what the watch showed",
        "console/operations/engine/following.py",
        "            _conclude(turn, state, replay)\n",
        "            if state.outcome:\n                _end(turn, state, state.outcome, turn.read(), {})\n",
        (f"{CLAIMS}::test_what_was_so_when_the_worker_died_is_not_said_by_the_next",),
    ),
    Mutation(
        "say never without a fence",
        "console/operations/engine/fencing.py",
        "    if fresh is None or fresh.resource_version != turn.earlier_base:\n",
        "    if True:\n",
        (f"{LATE}::test_after_a_cancellation_the_old_write_cannot_happen",),
    ),
    Mutation(
        "write after a sleep",
        "console/operations/engine/turns.py",
        "        if not leases.is_held(self.operation):\n",
        "        if not leases.is_held(self.operation) and False:\n",
        (f"{LATE}::test_a_worker_that_slept_does_not_write",),
    ),
    Mutation(
        "keep a late write to oneself",
        "console/operations/engine/writing.py",
        "            late_writes.notice(operation.cluster, made.service)",
        "            late_writes.CODE",
        (f"{LATE}::test_a_creation_that_arrives_late_is_told",),
    ),
    Mutation(
        "believe the console instead of the dry run",
        "console/operations/submitting/previewing.py",
        "    before, after = applied.before, tried.after or applied.after\n",
        "    before, after = applied.before, applied.after\n",
        (f"{NOTHING}::test_what_the_cluster_defaults_away_is_previewed_as_no_change",),
    ),
    Mutation(
        "wait for a revision that nothing makes",
        "console/operations/engine/writing.py",
        "        makes_revision=any(row.path[:2] == paths.TEMPLATE for row in rows),\n",
        "        makes_revision=True,\n",
        (f"{NOTHING}::test_a_change_that_became_none_before_the_write_ends_at_once",),
    ),
    Mutation(
        "let a lease run out while a call lasts",
        "console/operations/engine/leases.py",
        "        if held.update(lease_until=Now() + LEASE) and key in _held_since:\n",
        "        if held.exists() and key in _held_since:\n",
        (f"{LATE}::test_a_lease_is_renewed_while_a_call_lasts",),
    ),
)


def main() -> int:
    """Try every mutation; return 1 when a test passes in spite of one, or fails without any."""
    everything = tuple(dict.fromkeys(test for mutation in MUTATIONS for test in mutation.tests))
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(AT_ONCE):
            copies.put(_copy_of_source(Path(folder) / str(number)))
        without = pool.submit(_lent, copies, _failures, everything)
        tried = [pool.submit(_lent, copies, _try, mutation) for mutation in MUTATIONS]
        if said := without.result():
            pool.shutdown(cancel_futures=True)
            print("Without any mutation these fail already:", *said, sep="\n  ")
            return 1
        survivors = [one for one, found in zip(MUTATIONS, tried, strict=True) if not _told(one, found.result())]
    print(f"{len(MUTATIONS) - len(survivors)} of {len(MUTATIONS)} mutations were caught")
    return 1 if survivors else 0


def _told(mutation: Mutation, failed: list[str]) -> bool:
    """Print whether a test failed by the mutation, and return it."""
    print(f"{'caught  ' if failed else 'SURVIVED'} {mutation.name}: {', '.join(failed) or mutation.tests}")
    return bool(failed)


def _copy_of_source(copy: Path) -> Path:
    """Copy what the tests need; compiled modules come along, because their sources keep their times."""
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (copy / "static").mkdir()
    return copy


def _lent(copies: SimpleQueue[Path], act: Callable[[Path, T], list[str]], what: T) -> list[str]:
    """Do something in a copy that nobody else uses meanwhile."""
    copy = copies.get()
    try:
        return act(copy, what)
    finally:
        copies.put(copy)


def _try(copy: Path, mutation: Mutation) -> list[str]:
    """Return the tests that fail with the mutation in place."""
    path = copy / mutation.file
    original = path.read_text()
    if original.count(mutation.before) != 1:
        raise ValueError(f"{mutation.name}: the place is not found once in {mutation.file}")
    Path(cache_from_source(path)).unlink(missing_ok=True)
    path.write_text(original.replace(mutation.before, mutation.after))
    try:
        return _failures(copy, mutation.tests)
    finally:
        path.write_text(original)


def _failures(copy: Path, tests: tuple[str, ...]) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no", "--show-capture=no"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, *tests], cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode == 0:
        return []
    named = [line.split(" ")[1].rpartition("::")[2] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return named or [f"exit code {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"]


if __name__ == "__main__":
    sys.exit(main())
