"""The rules of a revision template: the revision's own name, its annotations, its spec."""

from __future__ import annotations

from typing import Any

from console.sandbox import names
from console.sandbox.crd import quantities
from console.sandbox.knative.problems import Problem, Problems, disallowed, invalid, invalid_key, out_of_bounds, under
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.validation.numbers import go_float, parse_duration
from console.sandbox.knative.validation.pods import pod_problems
from console.sandbox.knative.validation.scaling import scaling_problems
from console.sandbox.knative.version import OLDEST, knative_version

Object = dict[str, Any]

GROUP, NETWORKING = "serving.knative.dev", "networking.knative.dev"
PROGRESS_DEADLINE = f"{GROUP}/progress-deadline"
QUEUE = f"queue.sidecar.{GROUP}"
PERCENTAGES = (f"{QUEUE}/resource-percentage", f"{QUEUE}/resourcePercentage")
QUEUE_AMOUNTS = tuple(
    f"{QUEUE}/{resource}-resource-{kind}"
    for resource in ("cpu", "memory", "ephemeral-storage")
    for kind in ("request", "limit")
)
NETWORKING_ANNOTATIONS = tuple(
    f"{NETWORKING}/{name}"
    for name in (
        "ingress.class", "ingress-class", "certificate.class", "certificate-class", "disableAutoTLS",
        "disable-auto-tls", "disable-external-domain-tls", "httpOption", "http-protocol",
    )
)  # fmt: skip


def template_problems(template: Object, parent: Object, settings: Settings) -> Problems:
    """The problems of `spec.template`, their paths relative to it; `parent` is the metadata of what holds it."""
    metadata = template["metadata"]
    annotations = metadata.get("annotations") or {}
    problems = under("spec", revision_spec_problems(template["spec"], settings))
    found = scaling_problems(annotations, settings) + _networking_problems(annotations)
    found += _queue_problems(annotations)
    found += second_precision(annotations.get(PROGRESS_DEADLINE, ""), PROGRESS_DEADLINE)
    return problems + under("metadata.annotations", found) + _name_problems(metadata, parent)


def revision_spec_problems(spec: Object, settings: Settings) -> Problems:
    """The problems of a revision's spec."""
    problems = pod_problems(spec, settings)
    limit = settings.max_timeout_seconds
    timeout, concurrency = spec.get("timeoutSeconds", 0), spec.get("containerConcurrency")
    if not 0 <= timeout <= limit:
        problems.append(out_of_bounds(timeout, 0, limit, "timeoutSeconds"))
    lowest, highest = 0 if settings.allows_concurrency_zero else 1, settings.max_concurrency
    if concurrency is not None and not lowest <= concurrency <= highest:
        problems.append(out_of_bounds(concurrency, lowest, highest, "containerConcurrency"))
    return problems


def second_precision(value: str, key: str) -> Problems:
    """A duration of whole seconds that is not negative, or nothing."""
    if not value:
        return []
    duration, name = parse_duration(value), key.rpartition("/")[2]
    if duration is None:
        return [invalid(value, key)]
    if not duration.is_whole_seconds:
        return [Problem(f"{name}={value} is not at second precision", (key,))]
    return [Problem(f"{name}={value} must be positive", (key,))] if duration.nanoseconds < 0 else []


def _name_problems(metadata: Object, parent: Object) -> Problems:
    generated, name = metadata.get("generateName", ""), metadata.get("name", "")
    wrong = names.dns_1035_problem(names.without_trailing_dash(generated)) if generated else ""
    if wrong:
        return [invalid(f"not a DNS 1035 label prefix: {wrong}", "metadata.generateName")]
    if not name:
        return []
    wrong = names.dns_1035_problem(name)
    if wrong:
        return [invalid(f"not a DNS 1035 label: {wrong}", "metadata.name")]
    prefix = f"{parent.get('name', '')}-"
    if not parent.get("name") and parent.get("generateName"):
        return [disallowed("metadata.name")]
    if not name.startswith(prefix):
        return [invalid(f"{names.quoted(name)} must have prefix {names.quoted(prefix)}", "metadata.name")]
    return []


def _networking_problems(annotations: dict[str, str]) -> Problems:
    if knative_version() <= OLDEST:
        return []
    return [
        invalid_key(key, "") for key in annotations if key.startswith(NETWORKING) and key not in NETWORKING_ANNOTATIONS
    ]


def _queue_problems(annotations: dict[str, str]) -> Problems:
    problems: Problems = []
    percentage = next((key for key in PERCENTAGES if key in annotations), None)
    if percentage:
        problems += under(f"[{percentage}]", _percentage_problems(annotations[percentage]))
    for key in QUEUE_AMOUNTS:
        value = annotations.get(key)
        if value is not None and (quantities.problem(value) or value != value.strip()):
            problems += under(f"[{key}]", [invalid(value, "")])
    return problems


def _percentage_problems(text: str) -> Problems:
    value = go_float(text)
    if value is None:
        return [invalid(text, "")]
    return [out_of_bounds(f"{value:g}", 0.1, 100, "")] if value < 0.1 or value > 100 else []
