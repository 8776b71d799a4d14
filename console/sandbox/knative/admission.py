"""What happens to a Knative object between the request and the store: defaults, who made it, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from console.sandbox import errors
from console.sandbox.crd.decoding import WrongType
from console.sandbox.crd.validating import refusals
from console.sandbox.knative import defaults, problems, registry
from console.sandbox.knative.defaults import UNSET, Defaults
from console.sandbox.knative.kinds import kinds
from console.sandbox.knative.objects import SERVICE_LABEL, annotations_of, labels_of
from console.sandbox.knative.problems import Problems, under
from console.sandbox.knative.settings import Settings, settings_of
from console.sandbox.knative.validation import objects, warnings
from console.sandbox.knative.version import knative_version
from console.sandbox.resources import CONFIGURATIONS, REVISIONS, ROUTES, SERVICES, Resource
from console.sandbox.store import Store

Object = dict[str, Any]

DEFAULTING = 'admission webhook "webhook.serving.knative.dev" denied the request: mutation failed: '
POD_DRY_RUN = "features.knative.dev/podspec-dryrun"
QUOTA_MESSAGE = (
    'pods "{}" is forbidden: exceeded quota: compute-resources, requested: requests.cpu=4, '
    "used: requests.cpu=14, limited: requests.cpu=16"
)


class _Webhook(NamedTuple):
    default: Callable[[Defaults, Object], Object]
    check: Callable[[Object, Object | None, Settings], Problems]
    stamps: bool  # whether it records creator and lastModifier


_WEBHOOKS = {
    SERVICES: _Webhook(Defaults.service, objects.service_problems, stamps=True),
    CONFIGURATIONS: _Webhook(Defaults.configuration, objects.configuration_problems, stamps=True),
    ROUTES: _Webhook(Defaults.route, objects.route_problems, stamps=True),
    REVISIONS: _Webhook(Defaults.revision, objects.revision_problems, stamps=False),
}


class Admission:
    """The webhooks of one cluster, which follow its config maps."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(
        self, verb: str, resource: Resource, old: Object | None, new: Object, user: str, *, is_dry_run: bool = False
    ) -> Object:
        if resource not in _WEBHOOKS:
            return new
        return admit(verb, resource, old, new, user, is_dry_run=is_dry_run, settings=settings_of(self._store))

    def warnings(self, verb: str, resource: Resource, obj: Object) -> tuple[str, ...]:
        """What the webhook says beside accepting the object, a line each."""
        return warnings_of(verb, resource, obj, settings_of(self._store))


def warnings_of(verb: str, resource: Resource, obj: Object, settings: Settings) -> tuple[str, ...]:
    """What the webhook warns of in an object, whether it accepts it or not."""
    if resource in (SERVICES, CONFIGURATIONS):
        return warnings.lines(under("spec", warnings.template_warnings(obj["spec"]["template"], settings)))
    if resource is REVISIONS and verb == "create":  # its spec never changes
        return warnings.lines(under("spec", warnings.spec_warnings(obj["spec"], settings)))
    return ()


def admit(
    verb: str,
    resource: Resource,
    old: Object | None,
    new: Object,
    user: str,
    *,
    is_dry_run: bool = False,
    settings: Settings = UNSET,
) -> Object:
    """What is to be stored instead of `new`; `verb` is create or update (a patch is an update), `old` its baseline.

    Other kinds than Knative's pass as they are. Raises StatusError 400 with the webhook's own words, 422 with the
    schema's, or 403 for an image that the registry knows as refused by the cluster's policy.
    """
    webhook = _WEBHOOKS.get(resource)
    if webhook is None:
        return new
    admitted = _mutated(webhook, old, new, user, settings)
    _check_schema(resource, admitted)
    found = webhook.check(admitted, old, settings)
    if found:
        refusal = errors.denied(problems.text(found))
        refusal.warnings = warnings_of(verb, resource, admitted, settings)
        raise refusal
    _check_policy(resource, admitted)
    if is_dry_run and resource in (SERVICES, CONFIGURATIONS):
        _try_pod(admitted, old)
    return admitted


def _mutated(webhook: _Webhook, old: Object | None, new: Object, user: str, settings: Settings) -> Object:
    """What the defaulting webhook makes of it; the baseline is defaulted as well: no default counts as a change."""
    status = {"status": new["status"]} if "status" in new else {}
    try:
        given = defaults.read(new)
        before = None if old is None else webhook.default(Defaults(settings), defaults.read(old))
    except WrongType as wrong:
        raise errors.bad_request(f"{DEFAULTING}cannot decode incoming new object: {wrong}") from wrong
    admitted = webhook.default(Defaults(settings, before), given)
    if webhook.stamps and not _is_owned(admitted):
        admitted = _stamped(admitted, before, user)
    return defaults.completed(admitted) | status


def _is_owned(obj: Object) -> bool:
    """A Configuration or Route that a controller made keeps the stamps that the controller gave it."""
    return obj["kind"] != "Service" and bool(obj["metadata"].get("ownerReferences"))


def _check_schema(resource: Resource, obj: Object) -> None:
    found = refusals(kinds()[resource.kind], {key: value for key, value in obj.items() if key != "status"})
    if found:
        raise errors.invalid_fields(resource, obj["metadata"].get("name", ""), found)


def _stamped(obj: Object, old: Object | None, user: str) -> Object:
    """creator and lastModifier on create; lastModifier when an update changes the spec."""
    if old is not None and old["spec"] == obj["spec"]:
        return obj
    stamps = {objects.LAST_MODIFIER: user}
    if old is None:
        stamps[objects.CREATOR] = user
    annotations = (obj["metadata"].get("annotations") or {}) | stamps
    return obj | {"metadata": obj["metadata"] | {"annotations": annotations}}


def _check_policy(resource: Resource, obj: Object) -> None:
    """A policy engine's webhook that forbids some images, as many clusters have one."""
    if resource not in (SERVICES, CONFIGURATIONS):
        return
    for container in obj["spec"]["template"]["spec"]["containers"]:
        if registry.inspect(container["image"]).is_forbidden:
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
