"""What the webhook refuses in a revision template: scaling annotations, the revision's own name, its spec."""

from __future__ import annotations

import math
import re
from typing import Any

from console.sandbox.knative import names
from console.sandbox.knative.container_validation import pod_problems
from console.sandbox.knative.problems import Problem, Problems, invalid, out_of_bounds, under

AUTOSCALING = "autoscaling.knative.dev/"
MAX_INT_32 = 2147483647
CONCURRENCY_LIMIT = 1000
TIMEOUT_LIMIT_SECONDS = 600
SIDECAR_PERCENTAGE = "queue.sidecar.serving.knative.dev/resourcePercentage"
KPA, HPA = "kpa.autoscaling.knative.dev", "hpa.autoscaling.knative.dev"
WINDOW_SECONDS = (6, 3600)

_DURATION = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
# annotation, lowest, highest value of the plain numbers
_FLOAT_RANGES = (
    ("panic-window-percentage", 1.0, 100.0),
    ("panic-threshold-percentage", 110.0, 1000.0),
    ("target-utilization-percentage", 1.0, 100.0),
)


def duration_seconds(text: str) -> float | None:
    """The seconds of a Go duration such as `1m30s`, or None when it is not one."""
    if text == "0":
        return 0.0
    if not _DURATION.fullmatch(text):
        return None
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    return -seconds if text.startswith("-") else seconds


def template_problems(template: dict[str, Any], parent_name: str) -> Problems:
    """The problems of `spec.template`, their paths relative to it; `parent_name` is the prefix of revision names."""
    metadata = template.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    problems = under("spec", revision_spec_problems(template.get("spec") or {}))
    problems += under("metadata.annotations", scaling_problems(annotations))
    problems += _name_problems(metadata.get("name") or "", parent_name)
    problems += under("metadata.annotations", _sidecar_problems(annotations.get(SIDECAR_PERCENTAGE)))
    return problems


def revision_spec_problems(spec: dict[str, Any]) -> Problems:
    """The problems of a revision's spec."""
    problems = pod_problems(spec)
    timeout = spec.get("timeoutSeconds") or 0
    for field in ("timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"):
        seconds = spec.get(field)
        if seconds and not 0 <= seconds <= TIMEOUT_LIMIT_SECONDS:
            problems.append(out_of_bounds(seconds, 0, TIMEOUT_LIMIT_SECONDS, field))
        elif seconds and field != "timeoutSeconds" and seconds > timeout:
            problems.append(out_of_bounds(seconds, 0, timeout, field))
    concurrency = spec.get("containerConcurrency")
    if concurrency is not None and not 0 <= concurrency <= CONCURRENCY_LIMIT:
        problems.append(out_of_bounds(concurrency, 0, CONCURRENCY_LIMIT, "containerConcurrency"))
    return problems


def scaling_problems(annotations: dict[str, str]) -> Problems:
    """The problems of the autoscaling annotations, their keys as paths."""
    problems: Problems = []
    scaling_class = annotations.get(f"{AUTOSCALING}class")
    if scaling_class and scaling_class.endswith("autoscaling.knative.dev") and scaling_class not in (KPA, HPA):
        problems.append(invalid(scaling_class, f"{AUTOSCALING}class"))
    problems += _scale_problems(annotations)
    for name, low, high in _FLOAT_RANGES:
        problems += _float_problems(annotations, f"{AUTOSCALING}{name}", low, high)
    target = annotations.get(f"{AUTOSCALING}target")
    if target is not None and _number(target) is None:
        problems.append(invalid(target, f"{AUTOSCALING}target"))
    elif target is not None and (_number(target) or 0) < 0.01:
        problems.append(Problem(f"target {target} should be at least 0.01", (f"{AUTOSCALING}target",)))
    problems += _window_problems(annotations)
    metric = annotations.get(f"{AUTOSCALING}metric")
    if metric is not None and (scaling_class or KPA) == KPA and metric not in ("concurrency", "rps"):
        problems.append(invalid(metric, f"{AUTOSCALING}metric"))
    return problems


def _scale_problems(annotations: dict[str, str]) -> Problems:
    problems: Problems = []
    bounds = {}
    for name in ("min-scale", "max-scale"):
        key = f"{AUTOSCALING}{name}"
        text = annotations.get(key)
        if text is None:
            continue
        if not re.fullmatch(r"[+-]?\d+", text):
            problems.append(invalid(text, key))
        elif not 0 <= int(text) <= MAX_INT_32:
            problems.append(out_of_bounds(text, 0, MAX_INT_32, key))
        else:
            bounds[name] = int(text)
    low, high = bounds.get("min-scale", 0), bounds.get("max-scale", 0)
    if high and high < low:
        paths = (f"{AUTOSCALING}max-scale", f"{AUTOSCALING}min-scale")
        problems.append(Problem(f"max-scale={high} is less than min-scale={low}", paths))
    initial = annotations.get(f"{AUTOSCALING}initial-scale")
    if initial is not None and not re.fullmatch(r"[+-]?\d+", initial):
        problems.append(invalid(initial, f"{AUTOSCALING}initial-scale"))
    elif initial is not None and int(initial) < 0:
        problems.append(invalid(initial, f"{AUTOSCALING}initial-scale must be greater than 0"))
    return problems


def _float_problems(annotations: dict[str, str], key: str, low: float, high: float) -> Problems:
    text = annotations.get(key)
    if text is None:
        return []
    value = _number(text)
    if value is None:
        return [invalid(text, key)]
    return [] if low <= value <= high else [out_of_bounds(text, f"{low:g}", f"{high:g}", key)]


def _window_problems(annotations: dict[str, str]) -> Problems:
    key = f"{AUTOSCALING}window"
    text = annotations.get(key)
    if text is None:
        return []
    seconds = duration_seconds(text)
    if seconds is None:
        return [invalid(text, key)]
    if not WINDOW_SECONDS[0] <= seconds <= WINDOW_SECONDS[1]:
        return [out_of_bounds(text, "6s", "1h0m0s", key)]
    if seconds != int(seconds):
        return [Problem("must be specified with at most second precision", (key,))]
    return []


def _name_problems(name: str, parent_name: str) -> Problems:
    if not name:
        return []
    wrong = names.dns_1035_problem(name)
    if wrong:
        return [invalid(f"not a DNS 1035 label: {wrong}", "metadata.name")]
    prefix = f"{parent_name}-"
    if not name.startswith(prefix):
        return [invalid(f'"{name}" must have prefix "{prefix}"', "metadata.name")]
    return []


def _sidecar_problems(text: str | None) -> Problems:
    path = f"[{SIDECAR_PERCENTAGE}]"
    if text is None:
        return []
    value = _number(text)
    if value is None:
        return [invalid(text, path)]
    return [] if 0.1 <= value <= 100 else [out_of_bounds(f"{value:g}", 0.1, 100, path)]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
