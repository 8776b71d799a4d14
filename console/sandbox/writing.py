"""create, update, patch, delete and deletecollection: what happens between the request and the store."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from console.sandbox import errors, patches, schema, shapes
from console.sandbox.bootstrap import namespace as completed_namespace
from console.sandbox.calls import APPLY_PATCH, Call, decode, yaml_object
from console.sandbox.core_defaults import as_new, completed
from console.sandbox.fields.managers import applied, plain
from console.sandbox.fields.managers import updated as updated_fields
from console.sandbox.furnishing import Furnisher
from console.sandbox.names import qualified_name_problems
from console.sandbox.reading import selection
from console.sandbox.resources import NAMESPACES, PODS, SECRETS, Resource
from console.sandbox.store import Object, Store


class Admit(Protocol):
    """Knative's webhooks: answers what is stored; raises StatusError."""

    def __call__(
        self, verb: str, resource: Resource, old: Object | None, new: Object, user: str, *, is_dry_run: bool
    ) -> Object: ...


POD_GRACE_SECONDS = 30
NAME_LIMIT = 253
ANNOTATIONS_LIMIT = 256 * 1024  # bytes of all keys and values together
PROPAGATIONS = ("Background", "Foreground", "Orphan")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
LABEL_VALUE_LIMIT = 63


class Written(NamedTuple):
    """What a write answers."""

    code: int
    body: dict[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """The options of a delete, from its body and its query."""

    uid: str | None
    resource_version: str | None
    propagation: str
    grace_seconds: int | None
    is_dry_run: bool


class Writer:
    """Performs the writing verbs on the store; each method is atomic, as nothing in it waits."""

    def __init__(self, store: Store, admit: Admit, furnisher: Furnisher) -> None:
        self._store = store
        self._admit = admit
        self._furnisher = furnisher

    def create(self, call: Call) -> Written:
        """201 and the new object; raises StatusError 400, 404 (namespace), 409 or 422."""
        obj, warnings = self._decoded(call)
        obj = _in_its_place(call, obj)
        self._check_namespace(call)
        metadata = obj["metadata"]
        if not metadata.get("name") and not metadata.get("generateName"):
            problem = "Required value: name or generateName is required"
            raise errors.invalid(call.resource, "", "metadata.name", problem, "FieldValueRequired")
        _check_metadata(call.resource, metadata)
        if call.resource is NAMESPACES:
            obj = obj | completed_namespace(metadata["name"], metadata)
        else:
            obj = as_new(call.resource, obj)
        obj = completed(call.resource, obj)
        # As on a real server, the fields are counted before the webhooks fill in theirs: those have no owner.
        obj = updated_fields(call.resource, None, obj, call.manager, self._store.timestamp())
        return self._stored(call, obj, warnings)

    def _stored(self, call: Call, obj: Object, warnings: tuple[str, ...]) -> Written:
        obj = self._admitted("create", call, None, obj)
        created = self._store.create(call.resource, obj, dry_run=call.is_dry_run, is_managed=True)
        if call.resource is NAMESPACES and not call.is_dry_run:
            self._furnisher.furnish(created["metadata"]["name"])
        return Written(201, created, warnings)

    def update(self, call: Call) -> Written:
        """200 and the object as stored; raises StatusError 400, 404, 409 or 422."""
        obj, warnings = self._decoded(call)
        name = (obj.get("metadata") or {}).get("name")
        if name != call.name:
            message = f"the name of the object ({name or ''}) does not match the name on the URL ({call.name})"
            raise errors.bad_request(message)
        obj = _in_its_place(call, obj)
        old = self._store.get(call.resource, call.namespace, call.name)
        if call.resource.is_custom and not obj["metadata"].get("resourceVersion"):
            problem = "Invalid value: 0: must be specified for an update"
            raise errors.invalid(call.resource, call.name, "metadata.resourceVersion", problem)
        return Written(200, self._replace(call, old, obj), warnings)

    def patch(self, call: Call) -> Written:
        """200 and the object as stored; raises StatusError 400, 404, 409, 415 or 422."""
        if call.content_type == APPLY_PATCH:
            return self._apply(call)
        accepted = _accepted_patches(call.resource)
        if call.content_type not in accepted:
            types = ", ".join([*accepted, APPLY_PATCH])
            message = f"the body of the request was in an unknown format - accepted media types include: {types}"
            raise errors.StatusError(415, "UnsupportedMediaType", message)
        old = self._store.get(call.resource, call.namespace, call.name)
        patch = decode(call.body)
        obj = accepted[call.content_type](plain(old), patch)
        if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
            raise errors.bad_request("the patch leaves no object with metadata")
        shapes.check(call.resource, obj)
        unknown = schema.unknown_fields(call.resource, obj)
        if unknown and call.field_validation == "Strict":
            raise errors.invalid_patch(obj, f"strict decoding error: {_named(unknown)}")
        obj = _in_its_place(call, schema.pruned(call.resource, obj))
        if obj["metadata"].get("name") != call.name:
            problem = f'Invalid value: "{obj["metadata"].get("name", "")}": field is immutable'
            raise errors.invalid(call.resource, call.name, "metadata.name", problem)
        return Written(200, self._replace(call, old, obj), _warnings(call, unknown))

    def _apply(self, call: Call) -> Written:
        """200, or 201 for a new object; raises StatusError 409 for fields of others unless force is set."""
        config, warnings = self._applied_config(call)
        live, manager = self._store.find(call.resource, call.namespace, call.name), call.manager
        now, force = self._store.timestamp(), call.flag("force")
        if live is not None:
            obj = applied(call.resource, live, config, manager, now, force=force)
            return Written(200, self._replace(call, live, obj, is_managed=True), warnings)
        self._check_namespace(call)
        _check_metadata(call.resource, config["metadata"])
        obj = applied(call.resource, None, config, manager, now, force=force)
        if call.resource is NAMESPACES:
            obj = obj | completed_namespace(call.name, obj["metadata"])
        else:
            obj = completed(call.resource, as_new(call.resource, obj))
        return self._stored(call, obj, warnings)

    def _applied_config(self, call: Call) -> tuple[Object, tuple[str, ...]]:
        config = yaml_object(call.body)
        version = config.get("apiVersion", "")
        if version != call.resource.api_version and not call.resource.is_custom:
            group = "" if "/" in version else "/"
            raise errors.bad_request(f"invalid object type: {group}{version}, Kind={config.get('kind', '')}")
        if version != call.resource.api_version:
            raise errors.bad_request(
                "Incorrect version specified in apply patch. "
                f"Specified patch version: {version}, expected: {call.resource.api_version}"
            )
        shapes.check(call.resource, config)
        if (config.get("metadata") or {}).get("managedFields") is not None:
            raise errors.bad_request("metadata.managedFields must be nil")
        unknown = schema.unknown_fields(call.resource, config)
        if unknown:
            kind = f"{call.resource.api_version}, Kind={call.resource.kind}"
            problem = f".{unknown[0]}: field not declared in schema"
            about = f"failed to create typed patch object ({call.namespace}/{call.name}; {kind})"
            raise errors.StatusError(500, "", f"{about}: {problem}")
        metadata = {"name": call.name, **(config.get("metadata") or {})}
        if metadata["name"] != call.name:
            message = f"the name of the object ({metadata['name']}) does not match the name on the URL ({call.name})"
            raise errors.bad_request(message)
        config = config | {"metadata": metadata}
        # A Secret's texts are its fields; other defaults belong to nobody.
        return _in_its_place(call, completed(SECRETS, config) if call.resource is SECRETS else config), ()

    def delete(self, call: Call) -> Written:
        """200 with a Status, or with the object while a finalizer or the grace period holds it."""
        options = _delete_options(call)
        gone = self._delete_one(call.resource, call.namespace, call.name, options)
        if call.resource is NAMESPACES:
            return Written(200, gone)
        still_there = self._store.find(call.resource, call.namespace, call.name)
        if still_there and still_there["metadata"]["uid"] != gone["metadata"]["uid"]:
            still_there = None  # another one of its name has taken its place
        if call.resource is PODS or (still_there and not options.is_dry_run):
            return Written(200, still_there or gone)
        details = errors.object_details(call.resource, call.name) | {"uid": gone["metadata"]["uid"]}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return Written(200, body)

    def delete_collection(self, call: Call) -> Written:
        """200 and the list of what was deleted."""
        options, accepts = _delete_options(call), selection(call)
        chosen = [obj for obj in self._store.list(call.resource, call.namespace or None) if accepts(obj)]
        for obj in chosen:
            namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
            if self._store.find(call.resource, namespace, name):  # may have gone with its owner
                self._delete_one(call.resource, namespace, name, options)
        metadata = {"resourceVersion": str(self._store.version)}
        kind = f"{call.resource.kind}List"
        return Written(
            200, {"apiVersion": call.resource.api_version, "kind": kind, "metadata": metadata, "items": chosen}
        )

    def _replace(self, call: Call, old: Object, obj: Object, *, is_managed: bool = False) -> Object:
        """Store an update, its fields counted before the webhooks fill in theirs, unless an apply has done so."""
        obj = completed(call.resource, obj)
        if not is_managed:
            obj = updated_fields(call.resource, old, obj, call.manager, self._store.timestamp())
        save = partial(self._store.update, call.resource, dry_run=call.is_dry_run, is_managed=True)
        if call.subresource == "status":
            return save(obj, subresource="status")
        _check_metadata(call.resource, obj["metadata"])
        # A stale write is refused before admission sees it, as a real API server's retry-free path does.
        self._store.update(call.resource, obj, dry_run=True, is_managed=True)
        return save(self._admitted("update", call, old, obj))

    def _admitted(self, verb: str, call: Call, old: Object | None, obj: Object) -> Object:
        return self._admit(verb, call.resource, old, obj, call.user.name, is_dry_run=call.is_dry_run)

    def _delete_one(self, resource: Resource, namespace: str, name: str, options: DeleteOptions) -> Object:
        default_grace = POD_GRACE_SECONDS if resource is PODS else 0
        grace = default_grace if options.grace_seconds is None else options.grace_seconds
        gone = self._store.delete(
            resource,
            namespace,
            name,
            uid=options.uid,
            resource_version=options.resource_version,
            propagation=options.propagation,
            grace_seconds=grace if resource is PODS else 0,
            dry_run=options.is_dry_run,
        )
        self._furnisher.replace(resource, namespace, name)
        return gone

    def _decoded(self, call: Call) -> tuple[Object, tuple[str, ...]]:
        """The object of the body, pruned to the schema, with the warnings about what was dropped."""
        obj = call.json()
        if call.resource.is_custom:
            if not obj.get("kind"):
                raise errors.bad_request(f"Object 'Kind' is missing in '{call.body[:200].decode(errors='replace')}'")
            obj = obj | {"kind": call.resource.kind}  # Knative's defaulting webhook mends the kind before anybody looks
        shapes.check(call.resource, obj)
        unknown = schema.unknown_fields(call.resource, obj)
        if unknown and call.field_validation == "Strict":
            kind = call.resource.kind
            raise errors.bad_request(
                f'{kind} in version "{call.resource.version}" cannot be handled as a {kind}: '
                f"strict decoding error: {_named(unknown)}"
            )
        return schema.pruned(call.resource, obj), _warnings(call, unknown)

    def _check_namespace(self, call: Call) -> None:
        if not call.resource.namespaced:
            return
        self._store.get(NAMESPACES, "", call.namespace)
        if self._store.is_terminating(call.namespace):
            name = (call.json().get("metadata") or {}).get("name") or ""
            why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {call.namespace} is being terminated"}
            details = errors.object_details(call.resource, name) | {"causes": [cause | {"field": "metadata.namespace"}]}
            subject = f'{call.resource.qualified} "{name}"'
            raise errors.StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", details)


def _accepted_patches(resource: Resource) -> dict[str, Callable[[Any, Any], Any]]:
    """How a patch of each media type is applied, but for an apply."""
    accepted = {patches.JSON_PATCH: patches.json_patch, patches.MERGE_PATCH: patches.merge_patch}
    return accepted if resource.is_custom else {**accepted, patches.STRATEGIC_PATCH: patches.strategic_merge}


def _in_its_place(call: Call, obj: Object) -> Object:
    """The object with the namespace of the URL; raises StatusError 400 when it names another."""
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if value is not None}
    if not call.resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", call.namespace) != call.namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return obj | {"metadata": metadata}


def _check_metadata(resource: Resource, metadata: dict[str, Any]) -> None:
    """Kubernetes' own rules for names, labels and annotations; raises StatusError 422."""
    name = metadata.get("name") or ""
    problem = ""
    if name and len(name) > NAME_LIMIT:
        problem = f"must be no more than {NAME_LIMIT} characters"
    elif resource is NAMESPACES and name:
        _check_namespace(name)
    elif name and not SUBDOMAIN.fullmatch(name) and not resource.group.startswith("rbac."):
        problem = SUBDOMAIN_RULE
    if problem:
        raise errors.invalid(resource, name, "metadata.name", f'Invalid value: "{name}": {problem}')
    for field in ("labels", "annotations"):
        for key in metadata.get(field) or {}:
            # Annotations are judged without regard to case, which shows in no message but decides about capitals.
            wrong = qualified_name_problems(key if field == "labels" else key.lower())
            if wrong:
                raise errors.invalid(resource, name, f"metadata.{field}", f'Invalid value: "{key}": {wrong[0]}')
    for value in (metadata.get("labels") or {}).values():
        if len(value) > LABEL_VALUE_LIMIT:
            too_long = f'Invalid value: "{value}": must be no more than {LABEL_VALUE_LIMIT} bytes'
            raise errors.invalid(resource, name, "metadata.labels", too_long)
        if not LABEL_VALUE.fullmatch(value):
            raise errors.invalid(resource, name, "metadata.labels", f'Invalid value: "{value}": {LABEL_VALUE_RULE}')
    annotations = metadata.get("annotations") or {}
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > ANNOTATIONS_LIMIT:
        problem = f"Too long: may not be more than {ANNOTATIONS_LIMIT} bytes"
        raise errors.invalid(resource, name, "metadata.annotations", problem, "FieldValueTooLong")


def _check_namespace(name: str) -> None:
    """The name of a namespace is also the value of its label, whose rules are told beside those of names."""
    limit = f"must be no more than {LABEL_VALUE_LIMIT}"
    is_long = len(name) > LABEL_VALUE_LIMIT
    refusals = [
        (field, f'Invalid value: "{name}": {rule}', "FieldValueInvalid")
        for field, rule, is_wrong in (
            ("metadata.name", f"{limit} characters" if is_long else LABEL_RULE, is_long or not LABEL.fullmatch(name)),
            (
                "metadata.labels",
                f"{limit} bytes" if is_long else LABEL_VALUE_RULE,
                is_long or not LABEL_VALUE.fullmatch(name),
            ),
        )
        if is_wrong
    ]
    if refusals:
        raise errors.invalid_fields(NAMESPACES, name, refusals)


def _delete_options(call: Call) -> DeleteOptions:
    body = shapes.read(call.json() if call.body.strip() else {}, shapes.DeleteOptions)
    preconditions = body.preconditions or shapes.Preconditions()
    propagation = body.propagationPolicy or call.query.get("propagationPolicy")
    propagation = propagation or ("Orphan" if body.orphanDependents else "Background")
    if propagation not in PROPAGATIONS:
        raise errors.bad_request(f"invalid propagationPolicy {propagation}: supported values are {PROPAGATIONS}")
    grace = body.gracePeriodSeconds
    return DeleteOptions(
        uid=preconditions.uid,
        resource_version=preconditions.resourceVersion,
        propagation=propagation,
        grace_seconds=call.number("gracePeriodSeconds") if grace is None else grace,
        is_dry_run=call.is_dry_run or "All" in (body.dryRun or ()),
    )


def _named(unknown: list[str]) -> str:
    return ", ".join(f'unknown field "{path}"' for path in unknown)


def _warnings(call: Call, unknown: list[str]) -> tuple[str, ...]:
    return tuple(f'unknown field "{path}"' for path in unknown) if call.field_validation == "Warn" else ()
