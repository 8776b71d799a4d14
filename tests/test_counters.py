"""What the web processes of one port count: they share it, and others do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from console.counter_files import FOLDER, shared_counts

COUNT = """
from console import counters
from prometheus_client import generate_latest, CollectorRegistry
counters.begin_at_zero(["view"])
counters.REFUSALS.labels("view").inc({amount})
registry = CollectorRegistry()
registry.register(counters.of_all_processes())
print(generate_latest(registry).decode())
"""


def counted(amount: int) -> str:
    code = COUNT.format(amount=amount)
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ, check=True, capture_output=True, text=True
    ).stdout


def test_processes_that_share_a_folder_report_the_sum_and_keep_what_ended_ones_counted() -> None:
    with shared_counts():
        assert 'sluice_refusals_total{reason="view"} 2.0' in counted(2)
        text = counted(3)
    assert 'sluice_refusals_total{reason="view"} 5.0' in text
    assert 'sluice_sign_ins_total{method="passkey",outcome="refused"} 0.0' in text, "growth is measured from here"


def test_the_folder_is_removed_and_forgotten() -> None:
    with shared_counts():
        folder = Path(os.environ[FOLDER])
        assert folder.is_dir()
    assert not folder.exists()
    assert FOLDER not in os.environ
