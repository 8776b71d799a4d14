"""A pasted kubeconfig: its contexts, without running or opening anything that it names.

A kubeconfig can name programs to run, files to read, proxies to send everything through and people to act as. From
somebody's clipboard none of that is done: such a context is refused with the reason.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from console.kubectl_yaml import load
from console.registry.credentials import Credential, InvalidCredential

MAX_CONTEXTS = 100
# What a user or cluster entry may hold besides what is read here; each is refused by name.
_NOT_DONE = {
    "exec": "kubeconfig-exec",
    "auth-provider": "kubeconfig-exec",
    "tokenFile": "kubeconfig-file",
    "client-certificate": "kubeconfig-file",
    "client-key": "kubeconfig-file",
    "certificate-authority": "kubeconfig-file",
    "username": "kubeconfig-password",
    "password": "kubeconfig-password",
    "as": "kubeconfig-as",
    "as-uid": "kubeconfig-as",
    "as-groups": "kubeconfig-as",
    "as-user-extra": "kubeconfig-as",
    "proxy-url": "kubeconfig-proxy",
    "tls-server-name": "kubeconfig-server-name",
}


@dataclass(frozen=True, slots=True)
class Context:
    """One context, as far as the console uses it."""

    name: str
    url: str
    ca: str
    credential: Credential = field(repr=False)


class Kubeconfig:
    """The contexts of a text; raises InvalidCredential when it is not a kubeconfig."""

    def __init__(self, text: str) -> None:
        try:
            self._data = load(text)
        except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
            raise InvalidCredential("kubeconfig-not-yaml") from error
        self._contexts = self._named("contexts", "context")
        self._clusters = self._named("clusters", "cluster")
        self._users = self._named("users", "user")
        if not self._contexts:
            raise InvalidCredential("kubeconfig-no-contexts")
        if len(self._contexts) > MAX_CONTEXTS:
            raise InvalidCredential("kubeconfig-too-many", limit=str(MAX_CONTEXTS))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._contexts)

    @property
    def current(self) -> str:
        """The name of the current context, empty when there is none."""
        name = self._data.get("current-context")
        return name if isinstance(name, str) and name in self._contexts else ""

    def context(self, name: str) -> Context:
        """Return the context; raises InvalidCredential when it is not there, or asks for something that is not done."""
        if name not in self._contexts:
            raise InvalidCredential("kubeconfig-context-unknown", name=name[:100])
        found = self._contexts[name]
        cluster = self._entry(self._clusters, found.get("cluster"), name)
        user = self._entry(self._users, found.get("user"), name)
        for entry in (cluster, user):
            for key, code in _NOT_DONE.items():
                if entry.get(key):
                    raise InvalidCredential(code, name=name[:100], key=key)
        if cluster.get("insecure-skip-tls-verify"):
            raise InvalidCredential("kubeconfig-insecure", name=name[:100])
        return Context(
            name,
            _text(cluster.get("server"), "server"),
            _pem(cluster.get("certificate-authority-data"), "certificate-authority-data"),
            Credential(
                _text(user.get("token"), "token").strip(),
                _pem(user.get("client-certificate-data"), "client-certificate-data"),
                _pem(user.get("client-key-data"), "client-key-data"),
            ),
        )

    def _named(self, plural: str, singular: str) -> dict[str, Mapping[str, Any]]:
        """The entries of one of the three lists, by name; entries of another shape are ignored."""
        entries = self._data.get(plural)
        return {
            entry["name"]: entry[singular]
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get(singular), dict)
        }

    @staticmethod
    def _entry(entries: Mapping[str, Mapping[str, Any]], name: Any, context: str) -> Mapping[str, Any]:
        if not isinstance(name, str) or name not in entries:
            raise InvalidCredential("kubeconfig-incomplete", name=context[:100])
        return entries[name]


def _text(value: Any, key: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidCredential("kubeconfig-not-text", key=key)
    return value


def _pem(value: Any, key: str) -> str:
    try:
        return base64.b64decode(_text(value, key), validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise InvalidCredential("kubeconfig-not-base64", key=key) from error
