"""Knative's webhooks in one call: defaults, who made it and who changed it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from console.sandbox import errors
from console.sandbox.knative import defaults, problems, registry, validation
from console.sandbox.knative.decoding import check_types
from console.sandbox.knative.objects import SERVICE_LABEL, annotations_of, labels_of
from console.sandbox.knative.problems import Problems
from console.sandbox.knative.version import knative_version
from console.sandbox.resources import CONFIGURATIONS, REVISIONS, ROUTES, SERVICES, Resource

Object = dict[str, Any]


POD_DRY_RUN = "features.knative.dev/podspec-dryrun"
QUOTA_MESSAGE = (
    'pods "{}" is forbidden: exceeded quota: compute-resources, requested: requests.cpu=4, '
    "used: requests.cpu=14, limited: requests.cpu=16"
)


class _Webhook(NamedTuple):
    default: Callable[[Object], Object]
    check: Callable[[Object, Object | None], Problems]
    stamps: bool  # whether it records creator and lastModifier


_WEBHOOKS = {
    SERVICES: _Webhook(defaults.defaulted_service, validation.service_problems, stamps=True),
    CONFIGURATIONS: _Webhook(defaults.defaulted_configuration, validation.configuration_problems, stamps=True),
    ROUTES: _Webhook(defaults.defaulted_route, validation.route_problems, stamps=True),
    REVISIONS: _Webhook(lambda revision: revision, validation.revision_problems, stamps=False),
}


def admit(
    verb: str, resource: Resource, old: Object | None, new: Object, user: str, *, is_dry_run: bool = False
) -> Object:
    """What is to be stored instead of `new`; `verb` is create or update (a patch is an update), `old` its baseline.

    Other kinds than Knative's pass as they are. Raises StatusError 400 with the webhook's own words, or 403 for an
    image that the registry knows as refused by the cluster's policy.
    """
    webhook = _WEBHOOKS.get(resource)
    if webhook is None:
        return new
    check_types(new)
    admitted = webhook.default(new)
    if webhook.stamps:
        admitted = _stamped(admitted, old, user)
    found = webhook.check(admitted, old)
    if found:
        raise errors.denied(problems.text(found))
    _check_policy(resource, admitted)
    if is_dry_run and resource in (SERVICES, CONFIGURATIONS):
        _try_pod(admitted, old)
    return admitted


def _stamped(obj: Object, old: Object | None, user: str) -> Object:
    """creator and lastModifier on create; lastModifier when an update changes the spec."""
    if old is not None and old["spec"] == obj["spec"]:
        return obj
    stamps = {validation.LAST_MODIFIER: user}
    if old is None:
        stamps[validation.CREATOR] = user
    annotations = (obj["metadata"].get("annotations") or {}) | stamps
    return obj | {"metadata": obj["metadata"] | {"annotations": annotations}}


def _check_policy(resource: Resource, obj: Object) -> None:
    """A policy engine's webhook that forbids some images, as many clusters have one."""
    if resource not in (SERVICES, CONFIGURATIONS):
        return
    for container in obj["spec"]["template"]["spec"].get("containers") or []:
        if registry.inspect(container.get("image", "")).is_forbidden:
            message = (
                'admission webhook "validation.gatekeeper.sh" denied the request: [allowed-repos] container '
                f"<{container['name']}> has an invalid image repo <{container['image']}>"
            )
            raise errors.StatusError(403, "Forbidden", message)


def _try_pod(obj: Object, old: Object | None) -> None:
    """What a dry run says when a pod of the template would be refused."""
    template = obj["spec"]["template"]
    if not _is_pod_tried(obj, old):
        return
    if any(registry.inspect(each.get("image", "")).kind == "over-quota" for each in template["spec"]["containers"]):
        raise errors.pods_denied(QUOTA_MESSAGE.format("dry-run-validationx7k2p"))


def _is_pod_tried(obj: Object, old: Object | None) -> bool:
    """Each dry run tries a pod; before 1.21 only one of a new template, where the annotation asks for it."""
    if knative_version() >= (1, 21):
        return SERVICE_LABEL not in labels_of(obj)  # whose Service was tried
    is_asked = annotations_of(obj).get(POD_DRY_RUN) in ("enabled", "strict")
    return is_asked and (old is None or old["spec"]["template"] != obj["spec"]["template"])
