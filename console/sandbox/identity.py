"""Who asks: bearer tokens, service account tokens and impersonation."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from console.sandbox import errors

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A person or service account as the API server sees it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_master(self) -> bool:
        """May do everything, whatever the roles say."""
        return MASTERS in self.groups

    def info(self) -> dict[str, Any]:
        """As SelfSubjectReview and SubjectAccessReview write it."""
        facts: dict[str, Any] = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            facts["uid"] = self.uid
        if self.extra:
            facts["extra"] = {key: list(values) for key, values in self.extra.items()}
        return facts


def authenticated(name: str, uid: str = "", groups: Iterable[str] = ()) -> User:
    """A user with the groups that every known user has."""
    return User(name, uid, tuple(dict.fromkeys([*groups, AUTHENTICATED])))


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account's token identifies."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return authenticated(f"{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}", uid, groups)


ANONYMOUS = User("system:anonymous", groups=(UNAUTHENTICATED,))


class Tokens:
    """The bearer tokens that the sandbox accepts."""

    def __init__(self, users: Mapping[str, User] | None = None) -> None:
        self._users = dict(users or {})
        self._expiry: dict[str, datetime] = {}

    @classmethod
    def from_file(cls, path: Path) -> Tokens:
        """Read a token file: a JSON list of {token, user, uid, groups}, or Kubernetes' CSV (token,user,uid,"groups").

        Raises ValueError with the line or entry that is wrong.
        """
        text = path.read_text()
        rows = _json_rows(text) if text.lstrip().startswith("[") else _csv_rows(text)
        users: dict[str, User] = {}
        for number, (token, user, uid, groups) in enumerate(rows, start=1):
            if not token or not user:
                raise ValueError(f"{path}: entry {number} has no token or no user")
            if token in users:
                raise ValueError(f"{path}: entry {number} repeats a token")
            users[token] = authenticated(user, uid, groups)
        if not users:
            raise ValueError(f"{path}: no tokens")
        return cls(users)

    def token_of_admin(self) -> str:
        """A token of somebody in system:masters, or "" when there is none."""
        return next((token for token, user in self._users.items() if user.is_master), "")

    def issue(self, user: User, expires: datetime | None = None) -> str:
        """A new random token for `user`, known until it expires or the process ends."""
        token = secrets.token_urlsafe(32)
        self._users[token] = user
        if expires is not None:
            self._expiry[token] = expires
        return token

    def authenticate(self, authorization: str) -> User:
        """The user of an Authorization header, `ANONYMOUS` without a token; raises StatusError 401 for a wrong one."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        user = self._users.get(token.strip())
        if user is None or self._expiry.get(token.strip(), datetime.max.replace(tzinfo=UTC)) < datetime.now(UTC):
            raise errors.unauthorized()
        return user


def _json_rows(text: str) -> Iterable[tuple[str, str, str, list[str]]]:
    for entry in json.loads(text):
        yield entry.get("token", ""), entry.get("user", ""), entry.get("uid", ""), list(entry.get("groups", ()))


def _csv_rows(text: str) -> Iterable[tuple[str, str, str, list[str]]]:
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if row:
            token, user, uid, groups = (*row, "", "", "", "")[:4]
            yield token, user, uid, [group.strip() for group in groups.split(",") if group.strip()]


def impersonated(
    user: User, headers: Iterable[tuple[str, str]], allow: Callable[[User, str, str, str, str], None]
) -> User:
    """The user that the Impersonate-* headers ask for, or `user` itself when there are none.

    `allow(user, group, resource, namespace, name)` raises StatusError 403 where `user` may not impersonate that.
    """
    wanted = [(name.lower(), value) for name, value in headers if name.lower().startswith("impersonate-")]
    if not wanted:
        return user
    names = [value for header, value in wanted if header == "impersonate-user"]
    groups = [value for header, value in wanted if header == "impersonate-group"]
    uid = next((value for header, value in wanted if header == "impersonate-uid"), "")
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in wanted:
        if header.startswith("impersonate-extra-"):
            key = unquote(header.removeprefix("impersonate-extra-"))
            extra[key] = (*extra.get(key, ()), value)
    if not names or not names[0]:
        message = f"requested {[*groups, uid, *extra]} without impersonating a user"
        raise errors.StatusError(500, "InternalError", f"Internal Server Error: {message}")
    name = names[0]
    account = name.removeprefix(SERVICE_ACCOUNT_PREFIX).split(":") if name.startswith(SERVICE_ACCOUNT_PREFIX) else []
    if len(account) == 2:
        allow(user, "", "serviceaccounts", account[0], account[1])
        groups = groups or list(service_account(*account).groups)
    else:
        allow(user, "", "users", "", name)
    for group in groups:
        if group != AUTHENTICATED or not account:
            allow(user, "", "groups", "", group)
    if uid:
        allow(user, "authentication.k8s.io", "uids", "", uid)
    for key, values in extra.items():
        for value in values:
            allow(user, "authentication.k8s.io", f"userextras/{key}", "", value)
    known = authenticated(name, uid, groups)
    return User(known.name, known.uid, known.groups, extra)
