"""What deploy/monitoring asks Prometheus: every expression of its rules and of its dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/monitoring"
RULES = FOLDER / "rules.yaml"
_METRIC = re.compile(r"(?<![\w:])(?:job:)?sluice_[\w:]+")


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from group["rules"]


def recorded() -> set[str]:
    """The names of series that rules make."""
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> Iterator[tuple[str, str]]:
    """Where each is, and its text as Grafana would send it."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], _filled(target["expr"])
    for each in dashboard["annotations"]["list"]:
        yield each["name"], _filled(each["expr"])
    for variable in dashboard["templating"]["list"]:
        if found := re.fullmatch(r"label_values\((\w+), \w+\)", variable.get("definition", "")):
            yield f"${variable['name']}", found[1]


def names(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    return set(_METRIC.findall(expression))


def _filled(expression: str) -> str:
    return expression.replace("$job", ".*").replace("$__rate_interval", "1m")
