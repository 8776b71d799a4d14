"""Who may do what: an evaluation of the rbac.authorization.k8s.io objects in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.sandbox import errors
from console.sandbox.identity import SERVICE_ACCOUNT_PREFIX, User
from console.sandbox.resources import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from console.sandbox.selectors import match_selector
from console.sandbox.store import Store

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do, as authorization sees it."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""  # of a request for no resource

    @property
    def full_resource(self) -> str:
        """`pods/log` for a subresource, else the resource."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authorizer:
    """Answers from the roles and bindings as they are now; system:masters may do everything."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether some rule bound to the user, in the namespace or cluster-wide, covers the request."""
        return user.is_master or any(covers(rule, wanted) for rule in self.rules(user, wanted.namespace))

    def require(self, user: User, wanted: Attributes) -> None:
        """Raises StatusError 403 in a real API server's words."""
        if not self.allows(user, wanted):
            raise forbidden(user, wanted)

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """Every rule that applies to the user cluster-wide and in `namespace`."""
        for binding in self._store.list(CLUSTERROLEBINDINGS):
            if _binds(binding, user):
                yield from self._role_rules(binding, "")
        if namespace:
            for binding in self._store.list(ROLEBINDINGS, namespace):
                if _binds(binding, user):
                    yield from self._role_rules(binding, namespace)

    def _role_rules(self, binding: dict[str, Any], namespace: str) -> Iterator[Rule]:
        reference = binding["roleRef"]
        if reference["kind"] == "Role":
            role = self._store.find(ROLES, namespace, reference["name"]) if namespace else None
        else:
            role = self._store.find(CLUSTERROLES, "", reference["name"])
        if role is None:
            return
        yield from self._resolved(role, frozenset())

    def _resolved(self, role: dict[str, Any], seen: frozenset[str]) -> Iterator[Rule]:
        """A role's own rules, or those of the roles that it aggregates, which may aggregate others in turn."""
        selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors")
        if not selectors:
            yield from role.get("rules") or ()
            return
        seen |= {role["metadata"]["name"]}
        for other in self._store.list(CLUSTERROLES):
            labels = other["metadata"].get("labels") or {}
            is_chosen = any(match_selector(selector, labels) for selector in selectors)
            if is_chosen and other["metadata"]["name"] not in seen:
                yield from self._resolved(other, seen)


def covers(rule: Rule, wanted: Attributes) -> bool:
    """Whether one PolicyRule allows the request."""
    if not _listed(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_covers_path(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _listed(rule.get("apiGroups"), wanted.group)
        and _covers_resource(rule.get("resources") or (), wanted)
        and (not names or wanted.name in names)
    )


def forbidden(user: User, wanted: Attributes) -> errors.StatusError:
    """403 for this request."""
    if wanted.path:
        message = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"'
        return errors.StatusError(403, "Forbidden", message, {})
    qualified = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    subject = f'{qualified} "{wanted.name}"' if wanted.name else qualified
    scope = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" '
        f'in API group "{wanted.group}" {scope}'
    )
    facts = {"name": wanted.name, "group": wanted.group, "kind": wanted.resource}
    return errors.StatusError(403, "Forbidden", message, {key: value for key, value in facts.items() if value})


def _listed(values: list[str] | None, wanted: str) -> bool:
    return values is not None and ("*" in values or wanted in values)


def _covers_resource(resources: Any, wanted: Attributes) -> bool:
    if "*" in resources or wanted.full_resource in resources:
        return True
    return bool(wanted.subresource) and f"*/{wanted.subresource}" in resources


def _covers_path(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _binds(binding: dict[str, Any], user: User) -> bool:
    return any(_is_subject(subject, binding, user) for subject in binding.get("subjects") or ())


def _is_subject(subject: dict[str, Any], binding: dict[str, Any], user: User) -> bool:
    if subject["kind"] == "User":
        return bool(subject["name"] == user.name)
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
    return user.name == f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{subject['name']}"
