"""The reviews: questions that are POSTed and answered at once, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from console.sandbox import errors, shapes
from console.sandbox.calls import Call
from console.sandbox.identity import Tokens, User, authenticated, service_account
from console.sandbox.rbac import Attributes, Authorizer
from console.sandbox.resources import SERVICEACCOUNTS
from console.sandbox.store import Store

AUTHORIZATION = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"
DEFAULT_TOKEN_SECONDS = 3600

Review = Callable[[User, shapes.ReviewSpec], dict[str, Any]]


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
        spec = shapes.read(body, shapes.Review).spec or shapes.ReviewSpec()
        metadata: dict[str, Any] = {}
        answer = {"kind": kind, "apiVersion": f"{group}/v1", "metadata": metadata, "spec": body.get("spec") or {}}
        return answer | {"status": review(user, spec)}

    def _may_i(self, user: User, spec: shapes.ReviewSpec) -> dict[str, Any]:
        return {"allowed": self._authorizer.allows(user, _attributes(spec))}

    def _may_they(self, _: User, spec: shapes.ReviewSpec) -> dict[str, Any]:
        subject = authenticated(spec.user, spec.uid, spec.groups or ())
        return {"allowed": self._authorizer.allows(subject, _attributes(spec))}

    def _who_am_i(self, user: User, _: shapes.ReviewSpec) -> dict[str, Any]:
        return {"userInfo": user.info()}

    def _what_may_i(self, user: User, spec: shapes.ReviewSpec) -> dict[str, Any]:
        rules = list(self._authorizer.rules(user, spec.namespace))
        resource_rules = [rule for rule in rules if rule.get("resources")]
        path_rules = [rule for rule in rules if rule.get("nonResourceURLs")]
        if user.is_master:
            resource_rules.insert(0, {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            path_rules.insert(0, {"verbs": ["*"], "nonResourceURLs": ["*"]})
        return {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}


def issue_token(store: Store, tokens: Tokens, call: Call) -> dict[str, Any]:
    """Answer `serviceaccounts/token`: a bearer token for the account; raises StatusError 404."""
    account = store.get(SERVICEACCOUNTS, call.namespace, call.name)
    spec = shapes.read(call.json(), shapes.Review).spec
    seconds = (spec.expirationSeconds if spec else None) or DEFAULT_TOKEN_SECONDS
    expires = datetime.now(UTC) + timedelta(seconds=seconds)
    token = tokens.issue(service_account(call.namespace, call.name, account["metadata"]["uid"]), expires)
    status = {"token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
    metadata = {"name": call.name, "namespace": call.namespace}
    return {"kind": "TokenRequest", "apiVersion": f"{AUTHENTICATION}/v1", "metadata": metadata, "status": status}


def _attributes(spec: shapes.ReviewSpec) -> Attributes:
    wanted = spec.resourceAttributes
    if wanted is not None:
        return Attributes(**msgspec.structs.asdict(wanted))
    path = spec.nonResourceAttributes
    if path is None:
        raise errors.StatusError(
            422,
            "Invalid",
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes "
            "must be specified",
        )
    return Attributes(verb=path.verb, path=path.path)
