"""Side by side: the console's time for an update against the API's own truth, on the same real cluster.

kn does not install from a registry, so the truth from a watch stands in for it: kn can be no faster than that.
"""

from __future__ import annotations

import statistics

import pytest

from tests.bench.update_latency import Truth, one_update
from tests.browser.conftest import Visitor
from tests.real_cluster.control_plane import ControlPlane

pytestmark = pytest.mark.timeout(900)
ROUNDS = 5


def test_the_overhead_of_the_console_is_printed(visitor: Visitor, box: ControlPlane) -> None:
    truth = Truth(box.url, box.token, box.ca)
    truth.start()
    visitor.sign_in("deployer")
    totals, owns = [], []
    for number in range(ROUNDS):
        pressed, seen = one_update(visitor, f"round-{number}", "/services/real/default/hello/")
        generation = max(truth.ready)
        totals.append(seen - pressed)
        owns.append(truth.ready[generation] - truth.written[generation])
    total, own = statistics.median(totals), statistics.median(owns)
    figures = f"click to seen {total:.3f} s, the API's own {own:.3f} s, ratio {total / own:.2f}"
    print(f"\nreal Knative, median of {ROUNDS}: {figures}")
    assert len(truth.ready) >= ROUNDS
