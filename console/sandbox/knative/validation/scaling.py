"""The rules of the autoscaling annotations of a revision (pkg/apis/autoscaling/annotation_validation.go)."""

from __future__ import annotations

from console.sandbox.knative.problems import Problem, Problems, invalid, out_of_bounds
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.validation.numbers import Duration, go_float, is_integer, parse_duration

GROUP = "autoscaling.knative.dev"
KPA, HPA = f"kpa.{GROUP}", f"hpa.{GROUP}"
MAX_INT_32 = 2147483647
MIN_TARGET = 0.01
MIN_WINDOW, MAX_WINDOW = Duration(6 * 10**9), Duration(3600 * 10**9)
ALGORITHMS = ("linear", "weighted-exponential", "weightedExponential")
# Annotations that had another spelling once, which still counts where the present one is missing.
_OLD_SPELLINGS = {
    "initial-scale": "initialScale",
    "max-scale": "maxScale",
    "min-scale": "minScale",
    "metric-aggregation-algorithm": "metricAggregationAlgorithm",
    "panic-threshold-percentage": "panicThresholdPercentage",
    "panic-window-percentage": "panicWindowPercentage",
    "scale-down-delay": "scaleDownDelay",
    "scale-to-zero-pod-retention-period": "scaleToZeroPodRetentionPeriod",
    "target-burst-capacity": "targetBurstCapacity",
    "target-utilization-percentage": "targetUtilizationPercentage",
}
# name, lowest and highest value of the percentages
_PERCENTAGES = (
    ("panic-window-percentage", 1, 100),
    ("panic-threshold-percentage", 110, 1000),
    ("target-utilization-percentage", 1, 100),
)

Annotations = dict[str, str]
Found = tuple[str, str | None]  # the annotation's whole key, and its value


def find(annotations: Annotations, name: str) -> Found:
    """The annotation by its present or its former name; the key that it has, or would have."""
    for spelling in (name, _OLD_SPELLINGS.get(name, name)):
        key = f"{GROUP}/{spelling}"
        if key in annotations:
            return key, annotations[key]
    return f"{GROUP}/{name}", None


def scaling_problems(annotations: Annotations, settings: Settings) -> Problems:
    """The problems of the autoscaling annotations, their keys as paths."""
    return [
        *_class_problems(annotations),
        *_scale_problems(annotations, settings),
        *_float_problems(annotations),
        *_window_problems(annotations),
        *_retention_problems(annotations),
        *_delay_problems(annotations),
        *_metric_problems(annotations, settings),
        *_algorithm_problems(annotations),
        *_initial_problems(annotations, settings),
    ]


def _class_problems(annotations: Annotations) -> Problems:
    key, value = find(annotations, "class")
    is_wrong = value is not None and value.endswith(GROUP) and value not in (KPA, HPA)
    return [invalid(value, key)] if is_wrong else []


def _scale_problems(annotations: Annotations, settings: Settings) -> Problems:
    low, problems = _count(annotations, "min-scale")
    high, wrong = _count(annotations, "max-scale")
    problems += wrong
    if high and high < low:
        paths = (f"{GROUP}/max-scale", f"{GROUP}/min-scale")
        problems.append(Problem(f"max-scale={high} is less than min-scale={low}", paths))
    key, value = find(annotations, "max-scale")
    if value is not None:
        problems += _limit_problems(key, high, settings.max_scale_limit)
    return problems + _activation_problems(annotations, low, high)


def _count(annotations: Annotations, name: str) -> tuple[int, Problems]:
    key, value = find(annotations, name)
    if value is None:
        return 0, []
    if not is_integer(value):
        return 0, [invalid(value, key)]
    if not 0 <= int(value) <= MAX_INT_32:
        return 0, [out_of_bounds(value, 0, MAX_INT_32, key)]
    return int(value), []


def _limit_problems(key: str, high: int, limit: int) -> Problems:
    if not limit:
        return []
    if high > limit:
        return [out_of_bounds(high, 1, limit, key)]
    return [] if high else [Problem(f"max-scale=0 (unlimited), must be less than {limit}", (key,))]


def _activation_problems(annotations: Annotations, low: int, high: int) -> Problems:
    key, value = find(annotations, "activation-scale")
    if value is None:
        return []
    if not is_integer(value) or not -MAX_INT_32 - 1 <= int(value) <= MAX_INT_32:
        return [invalid(value, key)]
    count = int(value)
    if low > count:
        return [Problem(f"min-scale={low} is greater than activation-scale={count}", (key,))]
    if high and high < count:
        return [Problem(f"max-scale={high} is less than activation-scale={count}", (key,))]
    return [Problem(f"activation-scale={count} must be greater than 1", (key,))] if count < 2 else []


def _float_problems(annotations: Annotations) -> Problems:
    problems: Problems = []
    for name, low, high in _PERCENTAGES:
        key, value = find(annotations, name)
        number = None if value is None else go_float(value)
        if value is not None and number is None:
            problems.append(invalid(value, key))
        elif number is not None and (number < low or number > high):  # NaN is neither
            problems.append(out_of_bounds(value, low, high, key))
    return problems + _target_problems(annotations) + _burst_problems(annotations)


def _target_problems(annotations: Annotations) -> Problems:
    key, value = find(annotations, "target")
    if value is None:
        return []
    number = go_float(value)
    if number is None:
        return [invalid(value, key)]
    return [Problem(f"target {value} should be at least {MIN_TARGET}", (key,))] if number < MIN_TARGET else []


def _burst_problems(annotations: Annotations) -> Problems:
    key, value = find(annotations, "target-burst-capacity")
    if value is None:
        return []
    number = go_float(value)
    is_wrong = number is None or (number < 0 and number != -1)  # -1 is without limit
    return [invalid(value, key)] if is_wrong else []


def _window_problems(annotations: Annotations) -> Problems:
    key, value = find(annotations, "window")
    if value is None:
        return []
    duration = parse_duration(value)
    if duration is None:
        return [invalid(value, key)]
    if not MIN_WINDOW <= duration <= MAX_WINDOW:
        return [out_of_bounds(value, MIN_WINDOW, MAX_WINDOW, key)]
    return [] if duration.is_whole_seconds else [_too_precise(key)]


def _delay_problems(annotations: Annotations) -> Problems:
    key, value = find(annotations, "scale-down-delay")
    problems = _up_to_an_hour(key, value)
    duration = None if problems or value is None else parse_duration(value)
    return problems if duration is None or duration.is_whole_seconds else [_too_precise(key)]


def _retention_problems(annotations: Annotations) -> Problems:
    return _up_to_an_hour(*find(annotations, "scale-to-zero-pod-retention-period"))


def _up_to_an_hour(key: str, value: str | None) -> Problems:
    if value is None:
        return []
    duration = parse_duration(value)
    if duration is None:
        return [invalid(value, key)]
    return [] if Duration(0) <= duration <= MAX_WINDOW else [out_of_bounds(value, Duration(0), MAX_WINDOW, key)]


def _too_precise(key: str) -> Problem:
    return Problem("must be specified with at most second precision", (key,))


def _metric_problems(annotations: Annotations, settings: Settings) -> Problems:
    key, metric = find(annotations, "metric")
    if metric is None:
        return []
    given = find(annotations, "class")[1]
    scaler = settings.autoscaler_class if given is None else given
    is_wrong = (scaler == KPA and metric not in ("concurrency", "rps")) or (scaler == HPA and not metric)
    return [invalid(metric, key)] if is_wrong else []


def _algorithm_problems(annotations: Annotations) -> Problems:
    """Only of the autoscaler that is named: another one may have algorithms of its own."""
    key, value = find(annotations, "metric-aggregation-algorithm")
    is_wrong = value and find(annotations, "class")[1] == KPA and value not in ALGORITHMS
    return [invalid(value, key)] if is_wrong else []


def _initial_problems(annotations: Annotations, settings: Settings) -> Problems:
    key, value = find(annotations, "initial-scale")
    if value is None:
        return []
    if not is_integer(value) or abs(int(value)) >= 2**63:
        return [invalid(value, key)]
    if int(value) < 0:
        return [invalid(value, f"{key} must be greater than 0")]
    if int(value) == 0 and not settings.allows_initial_scale_zero:
        return [invalid(value, f"{key}=0 not allowed by cluster")]
    return []
