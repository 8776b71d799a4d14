"""Two web servers of two processes each, one database, one Redis and a real Prometheus: nothing is counted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.console_process import ROOT, RunningConsole, console, descendants, free_port
from tests.monitoring.files import expressions, names, recorded
from tests.monitoring.prometheus_server import Prometheus, prometheus
from tests.waiting import eventually

TOKEN = "m3tr1cs"
# Without a 5xx there is no share of them, and what did not happen in the last minutes has no growth.
MAY_BE_EMPTY = {
    "job:sluice_api_errors:ratio5m", "job:sluice_page_errors:ratio5m", "Errors", "Emergency overrides",
    "Ended, by status", "Sign-ins", "Refusals",
}  # fmt: skip
STOP_SECONDS = 20
# What somebody does in the console: an operation that a real worker ends, and what its log tells beside.
WORK = """
from console.access.actors import Actor
from console.access.models import User
from console.knative.changes import SetLabels
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import totals
from console.operations.submitting import previewing, submission
from console.registry import reports
cluster = read.clusters()[0]
one = read.services(cluster)[0]
user = User.objects.filter(is_superuser=True).first()
change = SetLabels({"tier": "monitored"})
effect = previewing.preview(change, user=user, ref=ServiceRef(cluster, one.namespace, one.name))
submission.submit(effect.preview.id, user=user, actor=Actor(user.pk, user.username), reason="measured")
totals.count_override()
reports.refresh(cluster)
"""


@pytest.fixture(scope="module")
def first() -> Iterator[RunningConsole]:
    with console(environment={"CONSOLE_METRICS_TOKEN": TOKEN, "CONSOLE_WEB_PROCESSES": "2"}, sandbox_speed=50) as it:
        yield it


@pytest.fixture(scope="module")
def second(first: RunningConsole) -> Iterator[tuple[str, int]]:
    """Address and process of one more web server of the same console."""
    with replica(first) as found:
        yield found


@pytest.fixture(scope="module")
def measured(first: RunningConsole, second, tmp_path_factory) -> Iterator[Prometheus]:
    """Prometheus, once it has seen both before anything happened."""
    targets = [url.removeprefix("http://") for url in (first.url, second[0])]
    with prometheus(tmp_path_factory.mktemp("prometheus"), targets, TOKEN) as server:
        eventually(lambda: server.value("count(sluice_build_info)") == 2, message="not scraped")
        eventually(lambda: server.value("max(job:sluice_overrides_total:max)") == 0, message="no rules")
        yield server


@contextmanager
def replica(of: RunningConsole) -> Iterator[tuple[str, int]]:
    port = free_port()
    own = {"CONSOLE_METRICS_TOKEN": TOKEN, "CONSOLE_WEB_PROCESSES": "2"}
    server = subprocess.Popen(
        [sys.executable, "-m", "console.serve", "--port", str(port)], cwd=ROOT, env={**environment(of), **own}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: status(f"{url}/healthz/live") == 200, timeout=60, message="the second does not answer")
        yield url, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(STOP_SECONDS)


def environment(of: RunningConsole) -> dict[str, str]:
    kept = json.loads((of.state / "environment.json").read_text())
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DJANGO_"))}
    return {**others, **kept, "CONSOLE_STATE_DIR": str(of.state)}


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wrong_token(url: str, times: int) -> None:
    """On a connection each, so that either process of the server may get it."""
    for _ in range(times):
        assert status(f"{url}/api/v1/services", Authorization=f"Bearer sluice_{'x' * 43}") in (401, 429)


def test_counts_of_processes_add_up_and_what_the_database_says_is_not_doubled(
    measured: Prometheus, first: RunningConsole, second: tuple[str, int]
) -> None:
    wrong_token(first.url, 6)
    wrong_token(second[0], 3)
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", WORK],
        cwd=ROOT, env=environment(first), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    ended = 'sluice_operations_ended_total{kind="SetLabels",status="succeeded"}'
    eventually(lambda: measured.values(ended) == [1, 1], message=lambda: f"{measured.values(ended)}")
    assert measured.value(f"sum({ended})") == 2, "which is why the table says how replicas combine"
    for once in ('job:sluice_operations_ended_total:max{kind="SetLabels"} > 0', "job:sluice_overrides_total:max"):
        eventually(lambda: measured.values(once) == [1], message=lambda: f"{once}: {measured.values(once)}")  # noqa: B023  it is called before the loop goes on
    assert measured.value('max(sluice_operation_duration_seconds_count{kind="SetLabels"})') == 1
    refused = 'sum(sluice_refusals_total{reason="token"})'
    eventually(lambda: measured.value(refused) == 9, message=lambda: f"{measured.values(refused)}")
    requests = 'sum(sluice_api_request_duration_seconds_count{status_class="4xx"})'
    eventually(lambda: measured.value(requests) == 9, message=lambda: f"{measured.values(requests)}")


def test_what_a_process_counted_outlives_it_and_its_successor_adds_to_it(
    measured: Prometheus, second: tuple[str, int]
) -> None:
    url, server = second
    count = f'sum(sluice_refusals_total{{instance="{url.removeprefix("http://")}",reason="token"}})'
    before = measured.value(count)
    assert before
    (killed, *_) = workers(server)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: killed not in workers(server) and len(workers(server)) == 2, message="not replaced")
    wrong_token(url, 2)
    eventually(lambda: measured.value(count) == before + 2, message=lambda: f"{before}, {measured.values(count)}")


def workers(server: int) -> list[int]:
    """The processes of a web server that answer."""
    found = []
    for pid in descendants(server):
        try:
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:  # it ended
            continue
    return found


def test_every_expression_is_answered_from_series_that_exist(measured: Prometheus, first: RunningConsole) -> None:
    """Ratios and quantiles without a request yet are empty; the series that they read are not."""
    assert status(f"{first.url}/accounts/login/") == 200
    asked = {name for _, expression in expressions() for name in names(expression)} - recorded()

    def missing() -> set[str]:
        return asked - set(measured.ask("label/__name__/values"))

    def empty() -> set[str]:
        """Raises for an expression that Prometheus does not understand. Alerts are empty while all is well."""
        found = {where for where, expression in expressions() if not measured.values(expression)}
        return {where for where in found if not where.startswith("Sluice")} - MAY_BE_EMPTY

    eventually(lambda: not missing(), message=lambda: f"{missing()}")
    eventually(lambda: not empty(), message=lambda: f"{empty()}", interval=0.5)


def test_rules_are_evaluated_without_an_error_and_an_installation_in_order_raises_no_alarm(
    measured: Prometheus,
) -> None:
    rules = [rule for group in measured.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    raised = {rule["name"] for rule in rules for alert in rule.get("alerts", ()) if alert["state"] == "firing"}
    assert raised <= {"SluiceOverrideUsed"}, "somebody did that just now"


def test_nobody_reads_metrics_without_the_token(first: RunningConsole, second: tuple[str, int]) -> None:
    for url in (first.url, second[0]):
        assert status(f"{url}/metrics") == 401
        assert status(f"{url}/metrics", Authorization=f"Bearer {TOKEN}") == 200
