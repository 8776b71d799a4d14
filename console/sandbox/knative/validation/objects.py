"""The rules of Services, Configurations, Routes and Revisions as a whole."""

from __future__ import annotations

from typing import Any

from console.sandbox import names
from console.sandbox.knative.problems import Problem, Problems, invalid, invalid_key, missing, under
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.short_diff import revision_spec_diff, template_diff
from console.sandbox.knative.validation.scaling import GROUP as AUTOSCALING
from console.sandbox.knative.validation.scaling import scaling_problems
from console.sandbox.knative.validation.templates import (
    GROUP,
    revision_spec_problems,
    second_precision,
    template_problems,
)
from console.sandbox.knative.validation.traffic import traffic_problems

Object = dict[str, Any]

ROLLOUT_DURATIONS = (f"{GROUP}/rollout-duration", f"{GROUP}/rolloutDuration")
CREATOR = f"{GROUP}/creator"
LAST_MODIFIER = f"{GROUP}/lastModifier"
SERVICE_LABEL, CONFIGURATION_LABEL = f"{GROUP}/service", f"{GROUP}/configuration"


def service_problems(service: Object, old: Object | None, settings: Settings) -> Problems:
    """The problems of a (defaulted) Service; `old` is what an update replaces."""
    metadata, spec = service["metadata"], service["spec"]
    found = _metadata_problems(metadata) + under("annotations", _rollout_problems(metadata))
    problems = under("metadata", found)
    problems += under("spec.template", template_problems(spec["template"], metadata, settings))
    problems += under("spec", traffic_problems(spec.get("traffic") or [], has_configuration=True))
    if old is not None:
        problems += _maker_problems(service, old) + _name_change_problems(service, old)
    return problems


def configuration_problems(configuration: Object, old: Object | None, settings: Settings) -> Problems:
    """The problems of a (defaulted) Configuration."""
    metadata = configuration["metadata"]
    found = _metadata_problems(metadata) + _owner_problems(metadata, SERVICE_LABEL, "Service")
    problems = under("metadata", found)
    template = configuration["spec"]["template"]
    problems += under("spec.template", template_problems(template, metadata, settings))
    if old is not None:
        problems += [] if metadata.get("ownerReferences") else _maker_problems(configuration, old)
        problems += _name_change_problems(configuration, old)
    return problems


def route_problems(route: Object, old: Object | None, _: Settings) -> Problems:
    """The problems of a (defaulted) Route."""
    metadata = route["metadata"]
    found = _metadata_problems(metadata) + _owner_problems(metadata, SERVICE_LABEL, "Service")
    problems = under("metadata", found + under("annotations", _rollout_problems(metadata)))
    problems += under("spec", traffic_problems(route["spec"].get("traffic") or [], has_configuration=False))
    if old is not None and not metadata.get("ownerReferences"):
        problems += _maker_problems(route, old)
    return problems


def revision_problems(revision: Object, old: Object | None, settings: Settings) -> Problems:
    """The problems of a Revision; its spec never changes."""
    metadata = revision["metadata"]
    found = _name_problems(metadata)
    found += under("annotations", scaling_problems(metadata.get("annotations") or {}, settings))
    found += _owner_problems(metadata, CONFIGURATION_LABEL, "Configuration")
    problems = under("metadata", found)
    if old is None:
        return problems + under("spec", revision_spec_problems(revision["spec"], settings))
    diff = revision_spec_diff(old["spec"], revision["spec"])
    return [Problem("Immutable fields changed (-old +new)", ("spec",), diff)] if diff else problems


def _metadata_problems(metadata: Object) -> Problems:
    """A name, and no scaling annotations, which belong to the revision."""
    details = 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
    return _name_problems(metadata) + [
        invalid_key(key, "annotations", details)
        for key in metadata.get("annotations") or {}
        if key.startswith(AUTOSCALING)
    ]


def _name_problems(metadata: Object) -> Problems:
    generated, name = metadata.get("generateName", ""), metadata.get("name", "")
    wrong = names.dns_1035_problem(names.without_trailing_dash(generated)) if generated else ""
    if wrong:
        return [Problem(f"not a DNS 1035 label prefix: {wrong}", ("generateName",))]
    wrong = names.dns_1035_problem(name) if name else ""
    if wrong:
        return [Problem(f"not a DNS 1035 label: {wrong}", ("name",))]
    return [] if generated or name else [Problem("name or generateName is required", ("name",))]


def _rollout_problems(metadata: Object) -> Problems:
    annotations = metadata.get("annotations") or {}
    key = next((each for each in ROLLOUT_DURATIONS if each in annotations), None)
    if key is None:
        return []
    problems = second_precision(annotations[key], ROLLOUT_DURATIONS[0])
    return [Problem(problem.message, (key,)) for problem in problems]


def _owner_problems(metadata: Object, label: str, kind: str) -> Problems:
    """A label that names an owner needs the owner."""
    named = (metadata.get("labels") or {}).get(label)
    if named is None:
        return []
    owners = [(each["kind"], each["name"]) for each in metadata.get("ownerReferences") or []]
    return [] if (kind, named) in owners else [missing(f"labels.{label}")]


def _maker_problems(obj: Object, old: Object) -> Problems:
    """Who made it never changes; who changed it last changes only with the spec."""
    before, after = (each["metadata"].get("annotations") or {} for each in (old, obj))
    problems: Problems = []
    if before.get(CREATOR, "") != after.get(CREATOR, ""):
        problems.append(Problem("annotation value is immutable", (CREATOR,)))
    if obj["spec"] == old["spec"] and before.get(LAST_MODIFIER, "") != after.get(LAST_MODIFIER, ""):
        problems.append(invalid(after.get(LAST_MODIFIER, ""), LAST_MODIFIER))
    return under("metadata.annotations", problems)


def _name_change_problems(obj: Object, old: Object) -> Problems:
    """A template that brings its revision's name may not change under the same name."""
    before, after = old["spec"]["template"], obj["spec"]["template"]
    name = after["metadata"].get("name", "")
    if not name or name != (before.get("metadata") or {}).get("name"):
        return []
    diff = template_diff(before, after)
    if not diff:
        return []
    message = "Saw the following changes without a name change (-old +new)"
    return under("spec.template", [Problem(message, ("metadata.name",), diff)])
