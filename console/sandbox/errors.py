"""The Status errors of a Kubernetes API server, word for word as a real one answers (v1.36).

Every refusal of the sandbox is a `StatusError`; the API turns it into the HTTP answer. The functions below make the
ones that more than one module needs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.sandbox.resources import Resource

WEBHOOK = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: '


class StatusError(Exception):
    """A request that is answered with a `Status` of status Failure.

    `retry_after` (seconds) becomes both the header and `details.retryAfterSeconds`.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        *,
        retry_after: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.details = None if details is None else dict(details)
        self.metadata = metadata or {}
        self.warnings: tuple[str, ...] = ()  # what a webhook said beside refusing
        if retry_after is not None:
            self.details = {**(self.details or {}), "retryAfterSeconds": retry_after}

    def body(self) -> dict[str, Any]:
        """The Status object, its keys in the order in which a real API server writes them."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def invalid_patch(patched: dict[str, Any], problem: str) -> StatusError:
    """422: what a patch would leave cannot be read; as on a real server the kind is not told."""
    text = json.dumps(json.dumps(patched, separators=(",", ":"), sort_keys=True))
    message = f"Invalid value: {text}: {problem}"
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]
    return StatusError(422, "Invalid", f' "" is invalid: patch: {message}', {"causes": causes})


class PageNotFound(StatusError):
    """A 404 that is answered in plain text, as Go's HTTP server does."""


def object_details(resource: Resource, name: str = "") -> dict[str, Any]:
    """The `details` that name an object by its plural; core resources carry no group."""
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.plural
    return details


def not_found(resource: Resource, name: str) -> StatusError:
    """404: no object of that name."""
    return StatusError(404, "NotFound", f'{resource.qualified} "{name}" not found', object_details(resource, name))


def unknown_path() -> StatusError:
    """404: a path below a group of Kubernetes' own that no resource answers."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def page_not_found() -> PageNotFound:
    """404: a path that nobody answers, not even the machinery of custom resources."""
    return PageNotFound(404, "NotFound", "404 page not found")


def method_not_allowed() -> StatusError:
    """405: the path exists, the method does not."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def already_exists(resource: Resource, name: str) -> StatusError:
    """409: create of a name that is taken."""
    return StatusError(
        409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', object_details(resource, name)
    )


def conflict(resource: Resource, name: str, why: str = "") -> StatusError:
    """409: the object is no longer the one that the request names; `why` defaults to the stale version's text."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return StatusError(409, "Conflict", message, object_details(resource, name))


def invalid(resource: Resource, name: str, field: str, problem: str, cause: str = "FieldValueInvalid") -> StatusError:
    """422: one field that Kubernetes itself (not Knative's webhook) refuses."""
    details = object_details(resource, name) | {
        "kind": resource.kind,
        "causes": [{"reason": cause, "message": problem, "field": field}],
    }
    return StatusError(422, "Invalid", f'{_qualified_kind(resource)} "{name}" is invalid: {field}: {problem}', details)


def invalid_fields(resource: Resource, name: str, refusals: list[Any]) -> StatusError:
    """422: several fields, each with its problem and reason, as crd.validating lists those of a schema."""
    if len(refusals) == 1:
        field, problem, reason = refusals[0]
        return invalid(resource, name, field, problem, reason)
    causes = [{"reason": reason, "message": problem, "field": field} for field, problem, reason in refusals]
    details = object_details(resource, name) | {"kind": resource.kind, "causes": causes}
    told = ", ".join(f"{field}: {problem}" for field, problem, _ in refusals)
    return StatusError(422, "Invalid", f'{_qualified_kind(resource)} "{name}" is invalid: [{told}]', details)


def _qualified_kind(resource: Resource) -> str:
    return f"{resource.kind}.{resource.group}" if resource.group else resource.kind


def bad_request(message: str) -> StatusError:
    """400 with the message as it is."""
    return StatusError(400, "BadRequest", message)


def denied(problems: str) -> StatusError:
    """400 as Knative's validating webhook answers; `problems` without the prefix, lines joined by newlines."""
    return bad_request(f"{WEBHOOK}validation failed: {problems}")


def pods_denied(message: str) -> StatusError:
    """400 as Knative's validating webhook answers a dry run whose pod admission refuses with the message."""
    return bad_request(f"{WEBHOOK}validation callback failed: dry run failed with {message}: spec.template")


def expired(message: str, *, continue_token: str = "") -> StatusError:
    """410: the history that the request needs is gone; a token continues an inconsistent list."""
    return StatusError(410, "Expired", message, metadata={"continue": continue_token} if continue_token else None)


def unauthorized() -> StatusError:
    """401: no token, or one that nobody has."""
    return StatusError(401, "Unauthorized", "Unauthorized")
