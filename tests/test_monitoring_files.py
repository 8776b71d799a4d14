"""deploy/monitoring as written: what it reads exists, and each alert says what to do (tests/monitoring runs it)."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.monitoring.files import FOLDER, ROOT, RULES, expressions, names, recorded, rules

DOCUMENTATION = (ROOT / "docs/operations.md").read_text()
ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
TESTS = yaml.safe_load((FOLDER / "rules.test.yaml").read_text())["tests"]


@pytest.fixture(scope="module")
def series() -> set[str]:
    """What the documentation's table (which another test compares with the console) and the rules make."""
    found = set(recorded())
    for name, kind in re.findall(r"^\| `(sluice_\w+)(?:\{[^}]*\})?` \| (\w+) \|", DOCUMENTATION, re.MULTILINE):
        found |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return found


def test_rules_and_dashboard_read_only_what_the_console_exposes(series: set[str]) -> None:
    asked = {where: names(expression) for where, expression in expressions()}
    assert {where: unknown for where, found in asked.items() if (unknown := found - series)} == {}
    assert len(asked) > 50


def test_every_series_that_the_rules_record_is_read() -> None:
    assert recorded() == {name for _, expression in expressions() for name in names(expression) if name in recorded()}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_severity_a_summary_a_heading_that_says_what_to_do_and_series_for_both_ends(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{alert.lower()}"
    assert re.search(rf"^### {alert}\n\n\S.{{20}}", DOCUMENTATION, re.MULTILINE)
    written = [
        check["exp_alerts"] for test in TESTS for check in test["alert_rule_test"] if check["alertname"] == alert
    ]
    assert any(written), "it fires"
    assert sum(not fired for fired in written) >= 2, "it is silent in an installation in order, and before it fires"


def test_the_operator_gets_the_same_rules() -> None:
    theirs = yaml.safe_load((ROOT / "deploy/kubernetes/monitoring/rules.yaml").read_text())
    assert theirs["spec"] == yaml.safe_load(RULES.read_text())


def test_every_pod_that_serves_metrics_is_asked_with_the_token_of_the_secret() -> None:
    monitor = yaml.safe_load((ROOT / "deploy/kubernetes/monitoring/pod-monitor.yaml").read_text())["spec"]
    deployment = next(yaml.safe_load_all((ROOT / "deploy/kubernetes/web.yaml").read_text()))
    assert monitor["selector"]["matchLabels"] == deployment["spec"]["selector"]["matchLabels"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert endpoint["port"] in {port["name"] for port in container["ports"]}
    assert endpoint["authorization"]["credentials"] == {"name": "sluice", "key": "CONSOLE_METRICS_TOKEN"}
    assert {"secretRef": {"name": "sluice"}} in container["envFrom"]
