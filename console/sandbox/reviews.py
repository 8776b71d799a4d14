"""The reviews: questions that are POSTed and answered at once, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from console.sandbox import errors
from console.sandbox.calls import Call
from console.sandbox.identity import Tokens, User, authenticated, service_account
from console.sandbox.rbac import Attributes, Authorizer
from console.sandbox.resources import SERVICEACCOUNTS
from console.sandbox.store import Store

AUTHORIZATION = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"
DEFAULT_TOKEN_SECONDS = 3600

Review = Callable[[User, dict[str, Any]], dict[str, Any]]


class Reviews:
    """Who am I, may I, what may I: each answer is the request's object with a status."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self._kinds: dict[tuple[str, str], tuple[str, Review]] = {
            (AUTHORIZATION, "selfsubjectaccessreviews"): ("SelfSubjectAccessReview", self._may_i),
            (AUTHORIZATION, "selfsubjectrulesreviews"): ("SelfSubjectRulesReview", self._what_may_i),
            (AUTHORIZATION, "subjectaccessreviews"): ("SubjectAccessReview", self._may_they),
            (AUTHENTICATION, "selfsubjectreviews"): ("SelfSubjectReview", self._who_am_i),
        }

    def kinds(self, group: str) -> dict[str, str]:
        """Plural to kind of the reviews of an API group."""
        return {plural: kind for (of, plural), (kind, _) in self._kinds.items() if of == group}

    def answer(self, user: User, group: str, plural: str, body: dict[str, Any]) -> dict[str, Any]:
        """The review with its status; raises StatusError 403, 404 or 400."""
        if (group, plural) not in self._kinds:
            raise errors.unknown_path()
        kind, review = self._kinds[group, plural]
        self._authorizer.require(user, Attributes("create", group, plural))
        spec = body.get("spec") or {}
        if not isinstance(spec, dict):
            raise errors.bad_request("spec is not an object")
        metadata: dict[str, Any] = {}
        answer = {"kind": kind, "apiVersion": f"{group}/v1", "metadata": metadata, "spec": spec}
        return answer | {"status": review(user, spec)}

    def _may_i(self, user: User, spec: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": self._authorizer.allows(user, _attributes(spec))}

    def _may_they(self, _: User, spec: dict[str, Any]) -> dict[str, Any]:
        subject = authenticated(spec.get("user", ""), spec.get("uid", ""), spec.get("groups") or ())
        return {"allowed": self._authorizer.allows(subject, _attributes(spec))}

    def _who_am_i(self, user: User, _: dict[str, Any]) -> dict[str, Any]:
        return {"userInfo": user.info()}

    def _what_may_i(self, user: User, spec: dict[str, Any]) -> dict[str, Any]:
        rules = list(self._authorizer.rules(user, spec.get("namespace", "")))
        resource_rules = [rule for rule in rules if rule.get("resources")]
        path_rules = [rule for rule in rules if rule.get("nonResourceURLs")]
        if user.is_master:
            resource_rules.insert(0, {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            path_rules.insert(0, {"verbs": ["*"], "nonResourceURLs": ["*"]})
        return {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}


def issue_token(store: Store, tokens: Tokens, call: Call) -> dict[str, Any]:
    """Answer `serviceaccounts/token`: a bearer token for the account; raises StatusError 404."""
    account = store.get(SERVICEACCOUNTS, call.namespace, call.name)
    request = call.json()
    seconds = (request.get("spec") or {}).get("expirationSeconds") or DEFAULT_TOKEN_SECONDS
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    token = tokens.issue(service_account(call.namespace, call.name, account["metadata"]["uid"]), expires)
    status = {"token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
    metadata = {"name": call.name, "namespace": call.namespace}
    return {"kind": "TokenRequest", "apiVersion": f"{AUTHENTICATION}/v1", "metadata": metadata, "status": status}


def _attributes(spec: dict[str, Any]) -> Attributes:
    wanted = spec.get("resourceAttributes")
    if wanted is not None:
        return Attributes(
            verb=wanted.get("verb", ""),
            group=wanted.get("group", ""),
            resource=wanted.get("resource", ""),
            subresource=wanted.get("subresource", ""),
            namespace=wanted.get("namespace", ""),
            name=wanted.get("name", ""),
        )
    path = spec.get("nonResourceAttributes")
    if path is None:
        raise errors.StatusError(
            422,
            "Invalid",
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
            "must be specified",
        )
    return Attributes(verb=path.get("verb", ""), path=path.get("path", ""))
