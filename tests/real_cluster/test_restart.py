"""The API server crashes in the middle of an update and comes back: the right outcome, and a complete timeline."""

from __future__ import annotations

import json
import re
import time
from itertools import groupby

import pytest

from tests.browser.conftest import Visitor
from tests.browser.story import BY_TEMPLATE, texts
from tests.real_cluster.conftest import HELLO
from tests.real_cluster.control_plane import ControlPlane, wait_for_a_ready_service
from tests.real_cluster.knative_parts import autoscaler_answers
from tests.real_cluster.supervisor import START_SECONDS
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)
AWAY_SECONDS = 3
RECOVERY_SECONDS = 180
# Knative's own words for a reconciliation that the crash cut off, which then begins that step again: of a controller
# that could not write what it saw, and of a route that was reconciled before the cache knew the new revision as ready.
CUT_OFF = re.compile(r'unsuccessfully observed a new generation|Revision "hello-\d{5}" is not yet ready\.')


def generation(box: ControlPlane) -> int:
    return int(json.loads(box.ask("GET", HELLO).data)["metadata"]["generation"])


def crash(box: ControlPlane) -> None:
    box.kill_api_server()
    time.sleep(AWAY_SECONDS)
    box.start_api_server()


@pytest.mark.parametrize("moment", ["before-the-write", "after-the-write"])
def test_an_update_survives_a_crash_of_the_api_server(visitor: Visitor, box: ControlPlane, moment: str) -> None:
    visitor.sign_in("deployer").go("/services/real/default/hello/env/")
    before = generation(box)
    page = visitor.page
    page.fill("[name=value-0]", moment)  # the only variable: its line is open
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    apply = page.locator("main button[form=apply]")
    apply.wait_for()
    if moment == "before-the-write":
        box.kill_api_server()
        apply.click()
        page.wait_for_url(re.compile("/operations/"))
        time.sleep(AWAY_SECONDS)
        box.start_api_server()
    else:
        apply.click()
        eventually(lambda: generation(box) > before)
        crash(box)
        page.wait_for_url(re.compile("/operations/"))
    page.wait_for_selector("#operation[data-status^='succeeded']", timeout=RECOVERY_SECONDS * 1000)
    visitor.keep(f"real-crash-{moment}")
    lines = texts(page.locator("#timeline .line-progress td.break"))
    told = [line for line, _ in groupby(line for line in lines if not CUT_OFF.fullmatch(line))]
    steps = iter(BY_TEMPLATE)
    assert all(line in steps for line in told), f"not kn's order: {lines}"
    assert lines[-1] == BY_TEMPLATE[-1]
    assert f"hello-{before + 1:05d}" in texts(page.locator("#timeline .line-closing td.break"))[0]
    assert generation(box) == before + 1, "the change was applied exactly once"


def test_knative_works_again_after_its_autoscaler_and_controller_ended_together(box: ControlPlane) -> None:
    """Both want port 8080, and a controller that gets it first leaves an autoscaler that never answers."""
    before = len(box.restarts)
    for name in ("controller", "autoscaler"):
        box.processes[name].kill()
    eventually(lambda: {"controller", "autoscaler"} <= set(box.restarts[before:]), timeout=START_SECONDS)
    assert autoscaler_answers()
    wait_for_a_ready_service(box)
