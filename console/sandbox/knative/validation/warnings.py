"""What Serving's webhook warns of in an object that it accepts: defaults of Kubernetes that are not safe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.sandbox.knative.problems import Problem, Problems, invalid, text, under
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.validation.templates import PERCENTAGES
from console.sandbox.knative.version import OLDEST, knative_version

Object = dict[str, Any]
INSECURE = "Kubernetes default value is insecure, Knative may default this to secure in a future release"
PERCENTAGE = (
    "Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set "
    "resource values per service"
)


def template_warnings(template: Object, settings: Settings) -> Problems:
    """The warnings of `spec.template`, their paths relative to the spec."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    found = under("template.spec", spec_warnings(template["spec"], settings))
    return found + ([Problem(PERCENTAGE, ())] if any(key in annotations for key in PERCENTAGES) else [])


def spec_warnings(spec: Object, settings: Settings) -> Problems:
    """The warnings of a revision's spec."""
    if settings.has_secure_defaults and knative_version() > OLDEST:
        return []
    pod = spec.get("securityContext") or {}
    return [
        problem
        for field in ("containers", "initContainers")
        for index, container in enumerate(spec.get(field) or [])
        for problem in under(
            f"{field}[{index}].securityContext", _container_warnings(pod, container.get("securityContext") or {})
        )
    ]


def lines(problems: Problems) -> tuple[str, ...]:
    """A line for each warning."""
    return tuple(text(problems).splitlines())


def _container_warnings(pod: Object, own: Object) -> Iterator[Problem]:
    insecure = [
        name
        for name, is_said in (
            ("runAsNonRoot", "runAsNonRoot" in pod or "runAsNonRoot" in own),
            ("allowPrivilegeEscalation", "allowPrivilegeEscalation" in own),
            ("seccompProfile", "seccompProfile" in pod or "seccompProfile" in own),
            ("capabilities", "capabilities" in own),
        )
        if not is_said
    ]
    profiles = [each["seccompProfile"] for each in (pod, own) if "seccompProfile" in each]
    if profiles and not any(profile.get("type") for profile in profiles):
        insecure.append("seccompProfile.type")
    dropped = (own.get("capabilities") or {}).get("drop")
    if "capabilities" in own and dropped is None:
        insecure.append("capabilities.drop")
    if insecure:
        yield Problem(INSECURE, tuple(insecure))
    if dropped and dropped[0] == "all":
        yield invalid("all", "capabilities.drop", "Must be spelled as 'ALL'")
