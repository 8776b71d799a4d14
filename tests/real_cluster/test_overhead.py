"""Side by side: an update with the console and with kn, in turn, of the same service on the same real cluster.

The console is measured from the press to "Ready to serve." in the browser, kn from its start to its end. Beside them
stands the cluster's own time, as a watch sees it: neither can be faster.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.figures import Figure, line, median
from tests.bench.update_latency import Truth, Updates, spans
from tests.browser.conftest import Visitor
from tests.real_cluster import programs
from tests.real_cluster.control_plane import ControlPlane

pytestmark = pytest.mark.timeout(900)
ROUNDS = 7  # one more goes before them
WHERE = "real Knative"


@pytest.fixture
def kn(box: ControlPlane, tmp_path: Path) -> Callable[[str], float]:
    """Set the variable with kn as a user does; returns the seconds until it says that the service is ready."""
    program, config = programs.kn(), box.kubeconfig(tmp_path / "kubeconfig")

    def update(value: str) -> float:
        command = [str(program), "--kubeconfig", str(config), "service", "update", "hello", "--env", f"TARGET={value}"]
        home = {**os.environ, "HOME": str(tmp_path)}
        began = time.monotonic()
        ended = subprocess.run(command, env=home, check=True, capture_output=True, text=True, timeout=120)
        seconds = time.monotonic() - began
        assert "Ready to serve." in ended.stdout
        return seconds

    return update


def test_the_overhead_of_the_console_is_printed(
    visitor: Visitor, box: ControlPlane, kn: Callable[[str], float]
) -> None:
    updates = Updates(visitor.sign_in("deployer"), Truth(box.url, box.token, box.ca), "/services/real/default/hello/")
    updates.make("warm")
    kn("warm-kn")
    made, by_kn = [], []
    for number in range(ROUNDS):
        made.append(updates.make(f"round-{number}"))
        by_kn.append(kn(f"kn-{number}") * 1000)
    found = [*spans(made, WHERE), median(f"kn service update, {WHERE}", by_kn, "ms")]
    print(f"\n{WHERE}, medians of {ROUNDS}:", *map(line, [*found, *_ratios(found)]), sep="\n")
    assert all(one.pressed < one.written < one.ready < one.seen for one in made)


def _ratios(found: list[Figure]) -> list[Figure]:
    total, of_cluster, of_kn = found[0].value, found[1].value, found[-1].value
    return [
        Figure(f"press to seen, against kn, {WHERE}", total / of_kn, "times"),
        Figure(f"press to seen, against the cluster's own time, {WHERE}", total / of_cluster, "times"),
    ]
