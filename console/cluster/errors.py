"""What a cluster can answer instead of what was asked: types with the facts in fields. Words are found at the edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_WEBHOOK = re.compile(
    r'^admission webhook "(?P<webhook>[^"]+)" denied the request: (?:validation failed: )?', re.DOTALL
)
_POLICY = re.compile(r"ValidatingAdmissionPolicy '(?P<policy>[^']+)' .*denied request")
_NO_DRY_RUN = re.compile(r'^admission webhook "[^"]+" does not support dry run$')
# Of Serving's webhook, which also dry-runs a pod of the template (serving/pkg/webhook/podspec_dryrun.go).
_PODS = re.compile(r"validation callback failed: dry run failed with (?P<pods>.*): spec\.template$", re.DOTALL)
_QUOTA = re.compile(r"is forbidden: exceeded quota: (?P<quota>[^,]+)")


@dataclass
class ClusterError(Exception):
    """The cluster did not do it. `raw` is its own message, `code` the HTTP status (0: no answer at all)."""

    raw: str
    code: int = 0
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.raw


class NotFound(ClusterError):
    """404: the object, or its kind, does not exist."""


class AlreadyExists(ClusterError):
    """409 AlreadyExists: an object with the name exists."""


class Conflict(ClusterError):
    """409 Conflict: the object has been modified since it was read."""


class Refused(ClusterError):
    """400, 413, 422, or 403 by admission: validation, a policy or a quota said no; asking again will not help."""

    @property
    def message(self) -> str:
        """The refusal without the webhook's introduction."""
        return _WEBHOOK.sub("", self.raw).strip()

    @property
    def webhook(self) -> str:
        match = _WEBHOOK.match(self.raw)
        return match["webhook"] if match else ""

    @property
    def policy(self) -> str:
        """The webhook or ValidatingAdmissionPolicy of this cluster that refused; empty for Knative's own."""
        if match := _POLICY.search(self.raw):
            return match["policy"]
        return "" if self.webhook.endswith(".knative.dev") else self.webhook

    @property
    def is_no_dry_run(self) -> bool:
        """A webhook has side effects, so the API server makes no dry run of what the webhook would be asked about."""
        return bool(_NO_DRY_RUN.match(self.raw.strip()))

    @property
    def of_pods(self) -> "Refused | None":
        """What is said to a pod of the template, where that is all that a dry run is refused for.

        From Serving 1.21 on each dry run of a Service tries a pod, even if the template is not changed; before, only of
        a Service that asks for it. A write tries none.
        """
        match = _PODS.search(self.raw.strip())
        return Refused(match["pods"], 403, "Forbidden") if match else None

    @property
    def quota(self) -> str:
        """The quota that does not allow one more object."""
        match = _QUOTA.search(self.raw)
        return match["quota"] if match else ""


class Forbidden(ClusterError):
    """403: RBAC does not let this identity do it."""


class Unauthorized(ClusterError):
    """401: the credentials are not, or no longer, accepted."""


class Expired(ClusterError):
    """410: the resourceVersion or continue token is too old; list again."""


class Throttled(ClusterError):
    """429: the API server asks to wait. `retry_after` is in seconds."""

    retry_after: float = 1.0


class ServerFailed(ClusterError):
    """5xx: the API server, or something behind it, failed."""


class Unreachable(ClusterError):
    """No answer: connection refused, name not found, certificate not trusted, time out of a read."""


class Uncertain(ClusterError):
    """The connection broke after a write was sent: it may or may not have happened. Read before writing again."""


def is_passing(error: ClusterError) -> bool:
    """Whether asking again later may help, without another request: the cluster is away or overloaded."""
    return isinstance(error, Unreachable | ServerFailed | Throttled | Unauthorized)


def from_answer(code: int, body: Mapping[str, Any], text: str, headers: Mapping[str, str]) -> ClusterError:
    """Return the error that an HTTP answer of 400 or more means; `body` is its Status object, or empty."""
    raw = str(body.get("message") or text[:500] or f"HTTP {code}")
    reason = str(body.get("reason") or "")
    details = body.get("details")
    facts = (raw, code, reason, details if isinstance(details, Mapping) else {})
    if code == 409:
        return AlreadyExists(*facts) if reason == "AlreadyExists" else Conflict(*facts)
    if code == 429:
        throttled = Throttled(*facts)
        throttled.retry_after = _seconds(headers.get("Retry-After", ""))
        return throttled
    if code == 404 or code >= 500:
        return NotFound(*facts) if code == 404 else ServerFailed(*facts)
    if code < 400:
        return ServerFailed(f"The API server redirects (HTTP {code}), which is not followed", code)
    if code == 403 and (_WEBHOOK.match(raw) or _POLICY.search(raw) or _QUOTA.search(raw)):
        return Refused(*facts)
    return {401: Unauthorized, 403: Forbidden, 410: Expired}.get(code, Refused)(*facts)


def is_version_unknown(error: ClusterError) -> bool:
    """The API server is behind the resourceVersion that was asked for, as after a restore or a new beginning."""
    causes = error.details.get("causes") or ()
    named = any(isinstance(cause, Mapping) and cause.get("reason") == "ResourceVersionTooLarge" for cause in causes)
    return named or "Too large resource version" in error.raw


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdecimal() else 1.0
