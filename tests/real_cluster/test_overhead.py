"""Side by side: the console's time for an update against the API's own truth, on the same real cluster.

kn does not install from a registry, so the truth from a watch stands in for it: kn can be no faster than that.
"""

from __future__ import annotations

import pytest

from tests.bench.figures import line
from tests.bench.update_latency import Truth, Updates, spans
from tests.browser.conftest import Visitor
from tests.real_cluster.control_plane import ControlPlane

pytestmark = pytest.mark.timeout(900)
ROUNDS = 5


def test_the_overhead_of_the_console_is_printed(visitor: Visitor, box: ControlPlane) -> None:
    updates = Updates(visitor.sign_in("deployer"), Truth(box.url, box.token, box.ca), "/services/real/default/hello/")
    updates.make("warm")
    made = [updates.make(f"round-{number}") for number in range(ROUNDS)]
    found = list(spans(made, "real Knative"))
    print(f"\nreal Knative, medians of {ROUNDS}:", *map(line, found), sep="\n")
    total, own = found[0].value, found[1].value
    print(f"ratio to the API's own time {total / own:.2f}")
    assert all(one.pressed < one.written < one.ready < one.seen for one in made)
