"""Values that a cluster's webhook refuses because of the cluster's settings: one table, by field of the forms.

Sources: serving, pkg/apis/autoscaling/annotation_validation.go, pkg/apis/serving/v1/revision_validation.go and
pkg/apis/serving/k8s_validation.go. A setting that the cluster does not show refuses nothing here: its dry run says it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from console.knative.cluster_defaults import AUTOSCALER, DEFAULTS, ClusterDefaults, Key
from console.knative.problems import Problem

KPA = "kpa.autoscaling.knative.dev"
OF_KPA = ("concurrency", "rps")  # metrics
_TRUE = ("1", "t", "true")  # as Go reads it, whatever the case


@dataclass(frozen=True, slots=True)
class Bound:
    """What a setting makes of a value of the field: `problem(value, setting, key)`, None where it is accepted."""

    field: str
    key: Key
    problem: Callable[[str, str, Key], Problem | None]


def refused(field: str, value: str, defaults: ClusterDefaults, *, scaler: str = "") -> Problem | None:
    """Return why the cluster will refuse the value, or None. `scaler`: the autoscaler class of the service itself."""
    for bound in BOUNDS:
        setting = defaults.value(bound.key)
        if bound.field == field and setting:
            is_overruled = bound.key is SCALER and scaler
            if found := bound.problem(value, scaler if is_overruled else setting, bound.key):
                return found
    return None


def _at_most(value: str, setting: str, key: Key) -> Problem | None:
    most = int(setting if setting.isdecimal() else key.built_in)
    return Problem("cluster-at-most", {"most": most}) if int(value) > most else None


def _limited(value: str, setting: str, key: Key) -> Problem | None:
    """A limit of 0 is none; with one, 0 as a value would be no limit."""
    most = int(setting if setting.isdecimal() else key.built_in)
    if not most:
        return None
    return _at_most(value, setting, key) if int(value) else Problem("cluster-no-unlimited", {"most": most})


def _zero_if_allowed(value: str, setting: str, key: Key) -> Problem | None:
    if int(value) or setting.lower() in _TRUE:
        return None
    return Problem("cluster-no-zero", {"setting": key.name, "config": key.config})


def _of_its_autoscaler(value: str, setting: str, _key: Key) -> Problem | None:
    """Other autoscalers have metrics of their own."""
    return Problem("cluster-metric", {"metrics": ", ".join(OF_KPA)}) if setting == KPA and value not in OF_KPA else None


SCALER = Key(AUTOSCALER, "pod-autoscaler-class", KPA)
BOUNDS = (
    Bound("timeout", Key(DEFAULTS, "max-revision-timeout-seconds", "600"), _at_most),
    Bound("concurrency", Key(DEFAULTS, "container-concurrency-max-limit", "1000"), _at_most),
    Bound("concurrency", Key(DEFAULTS, "allow-container-concurrency-zero", "true"), _zero_if_allowed),
    Bound("max", Key(AUTOSCALER, "max-scale-limit", "0"), _limited),
    Bound("initial", Key(AUTOSCALER, "allow-zero-initial-scale", "false"), _zero_if_allowed),
    Bound("metric", SCALER, _of_its_autoscaler),
)
