"""What Knative's validating webhook refuses, word for word as recorded from Serving 0.42."""

from __future__ import annotations

from typing import Any

from console.sandbox.knative import names
from console.sandbox.knative.problems import Problem, Problems, invalid, invalid_key, under
from console.sandbox.knative.short_diff import revision_spec_diff, template_diff
from console.sandbox.knative.template_validation import duration_seconds, revision_spec_problems, template_problems
from console.sandbox.knative.traffic_validation import traffic_problems

GROUP = "serving.knative.dev"
ROLLOUT_DURATION = f"{GROUP}/rollout-duration"
CREATOR = f"{GROUP}/creator"
LAST_MODIFIER = f"{GROUP}/lastModifier"
_OWNED_LABELS = tuple(
    f"{GROUP}/{name}"
    for name in (
        "service", "serviceUID", "configuration", "configurationUID", "configurationGeneration", "route",
        "routingState",
    )
)  # fmt: skip

Object = dict[str, Any]


def service_problems(service: Object, old: Object | None) -> Problems:
    """The problems of a (defaulted) Service; `old` is what an update replaces."""
    metadata, spec = service["metadata"], service["spec"]
    problems = under("metadata", _metadata_problems(metadata, known_labels=()))
    template = spec.get("template") or {}
    problems += under("spec.template", template_problems(template, metadata.get("name", "")))
    problems += under("spec", traffic_problems(spec.get("traffic") or [], has_configuration=True))
    return problems + _update_problems(service, old)


def configuration_problems(configuration: Object, old: Object | None) -> Problems:
    """The problems of a (defaulted) Configuration."""
    metadata = configuration["metadata"]
    problems = under("metadata", _metadata_problems(metadata, known_labels=_OWNED_LABELS))
    template = configuration["spec"].get("template") or {}
    problems += under("spec.template", template_problems(template, metadata.get("name", "")))
    return problems + _update_problems(configuration, old)


def route_problems(route: Object, old: Object | None) -> Problems:
    """The problems of a (defaulted) Route."""
    problems = under("metadata", _metadata_problems(route["metadata"], known_labels=_OWNED_LABELS))
    problems += under("spec", traffic_problems(route["spec"].get("traffic") or [], has_configuration=False))
    if old is not None and not route["metadata"].get("ownerReferences"):
        problems += _identity_problems(route, old)
    return problems


def revision_problems(revision: Object, old: Object | None) -> Problems:
    """The problems of a Revision; its spec never changes."""
    problems = under("metadata", _metadata_problems(revision["metadata"], known_labels=_OWNED_LABELS))
    if old is None:
        return problems + under("spec", revision_spec_problems(revision.get("spec") or {}))
    diff = revision_spec_diff(old["spec"], revision.get("spec") or {})
    if diff:
        return [Problem("Immutable fields changed (-old +new)", ("spec",), diff)]
    return problems


def _metadata_problems(metadata: Object, *, known_labels: tuple[str, ...]) -> Problems:
    problems: Problems = []
    name = metadata.get("name") or ""
    wrong = names.dns_1035_problem(name) if name else ""
    if wrong:
        problems.append(Problem(f"not a DNS 1035 label: {wrong}", ("name",)))
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        if key.startswith("autoscaling.knative.dev"):
            details = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
            problems.append(invalid_key(key, "annotations", details))
    problems += under("annotations", _rollout_problems(annotations.get(ROLLOUT_DURATION) or ""))
    for key in metadata.get("labels") or {}:
        if key.startswith(f"{GROUP}/") and key not in known_labels:
            problems.append(invalid_key(key, "labels"))
    return problems


def _rollout_problems(duration: str) -> Problems:
    if not duration:
        return []
    seconds = duration_seconds(duration)
    if seconds is None:
        return [invalid(duration, ROLLOUT_DURATION)]
    if seconds != int(seconds):
        return [Problem(f"rollout-duration={duration} is not at second precision", (ROLLOUT_DURATION,))]
    if seconds < 0:
        return [Problem(f"rollout-duration={duration} must be positive", (ROLLOUT_DURATION,))]
    return []


def _update_problems(obj: Object, old: Object | None) -> Problems:
    if old is None:
        return []
    return _identity_problems(obj, old) + under("spec.template", _name_change_problems(obj, old))


def _identity_problems(obj: Object, old: Object) -> Problems:
    """Who made it never changes; who changed it last changes only with the spec."""
    before, after = (each["metadata"].get("annotations") or {} for each in (old, obj))
    fixed = [CREATOR] if obj["spec"] != old["spec"] else [CREATOR, LAST_MODIFIER]
    return [
        Problem("annotation value is immutable", (f"metadata.annotations.{key}",))
        for key in fixed
        if before.get(key) != after.get(key)
    ]


def _name_change_problems(obj: Object, old: Object) -> Problems:
    """A template that brings its revision's name may not change under the same name."""
    before, after = old["spec"].get("template") or {}, obj["spec"].get("template") or {}
    name = (after.get("metadata") or {}).get("name") or ""
    if not name or name != (before.get("metadata") or {}).get("name"):
        return []
    diff = template_diff(before, after)
    if not diff:
        return []
    return [Problem("Saw the following changes without a name change (-old +new)", ("metadata.name",), diff)]
