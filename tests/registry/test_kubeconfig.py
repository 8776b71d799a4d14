"""A pasted kubeconfig is read without running or opening anything."""

from __future__ import annotations

import base64
import subprocess
from typing import Any

import pytest
import yaml

from console.registry.credentials import Credential, InvalidCredential
from console.registry.kubeconfig import Context, Kubeconfig

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(*, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **more: Any) -> str:
    """A kubeconfig with the contexts `prod` and `other`; `cluster` and `user` change those of prod."""
    server = {"server": "https://prod.example.com:6443", "certificate-authority-data": encoded(PEM)}
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "clusters": [
            {"name": "p", "cluster": server | (cluster or {})},
            {"name": "o", "cluster": {"server": "https://o"}},
        ],
        "users": [{"name": "ada", "user": {"token": "s3cret"} if user is None else user}],
        "contexts": [
            {"name": "prod", "context": {"cluster": "p", "user": "ada", "namespace": "shop"}},
            {"name": "other", "context": {"cluster": "o", "user": "ada"}},
        ],
    }
    return yaml.safe_dump(data | more)


def refusal(text: str, context: str = "prod") -> InvalidCredential:
    with pytest.raises(InvalidCredential) as caught:
        Kubeconfig(text).context(context)
    return caught.value


def test_a_context_gives_address_authority_and_token() -> None:
    found = Kubeconfig(config())
    assert found.names == ("prod", "other")
    assert found.current == "prod"
    assert found.context("prod") == Context("prod", "https://prod.example.com:6443", PEM, Credential("s3cret"))


def test_a_client_certificate_is_a_credential_too() -> None:
    user = {"client-certificate-data": encoded(PEM), "client-key-data": encoded("key")}
    assert Kubeconfig(config(user=user)).context("prod").credential == Credential("", PEM, "key")


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ({"exec": {"command": "/bin/sh"}}, "kubeconfig-exec"),
        ({"token": "x", "exec": {"command": "/bin/sh"}}, "kubeconfig-exec"),
        ({"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sh"}}}, "kubeconfig-exec"),
        ({"tokenFile": "/etc/passwd"}, "kubeconfig-file"),
        ({"client-certificate": "/a", "client-key": "/b"}, "kubeconfig-file"),
        ({"username": "ada", "password": "x"}, "kubeconfig-password"),
        ({"token": "x", "as": "root"}, "kubeconfig-as"),
        ({"token": "x", "as-groups": ["system:masters"]}, "kubeconfig-as"),
        ({"token": 5}, "kubeconfig-not-text"),
        ({"client-key-data": "%%%"}, "kubeconfig-not-base64"),
        ({"client-key-data": encoded("ключ")}, "kubeconfig-not-base64"),
    ],
)
def test_what_a_user_asks_for_beyond_a_token_is_refused(user: dict[str, Any], code: str) -> None:
    assert refusal(config(user=user)).code == code


@pytest.mark.parametrize(
    ("cluster", "code"),
    [
        ({"certificate-authority": "/etc/ssl/ca.pem"}, "kubeconfig-file"),
        ({"insecure-skip-tls-verify": True}, "kubeconfig-insecure"),
        ({"proxy-url": "socks5://evil"}, "kubeconfig-proxy"),
        ({"tls-server-name": "other"}, "kubeconfig-server-name"),
        ({"server": ["https://a"]}, "kubeconfig-not-text"),
        ({"certificate-authority-data": "no base64!"}, "kubeconfig-not-base64"),
    ],
)
def test_what_a_cluster_asks_for_beyond_an_address_is_refused(cluster: dict[str, Any], code: str) -> None:
    assert refusal(config(cluster=cluster)).code == code


def test_one_unusable_context_does_not_spoil_the_others() -> None:
    text = config(cluster={"proxy-url": "http://proxy"})
    assert refusal(text).code == "kubeconfig-proxy"
    assert Kubeconfig(text).context("other").url == "https://o"


def test_no_program_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: Any, **_options: Any) -> None:
        pytest.fail(f"started {arguments}")

    monkeypatch.setattr(subprocess, "Popen", run)
    refusal(config(user={"exec": {"command": "touch", "args": ["/tmp/x"], "apiVersion": "v1"}}))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "kubeconfig-not-yaml"),
        ("- a list", "kubeconfig-not-yaml"),
        ("a: [", "kubeconfig-not-yaml"),
        ("a: &b [1]\nc: *b", "kubeconfig-not-yaml"),
        ("a: 1\na: 2", "kubeconfig-not-yaml"),
        ("{a: " * 60 + "1" + "}" * 60, "kubeconfig-not-yaml"),
        ("x: " + "y" * 300_000, "kubeconfig-not-yaml"),
        ("a: 2026-99-99", "kubeconfig-no-contexts"),  # to kubectl a text
        ("!!python/object/apply:os.system ['id']", "kubeconfig-not-yaml"),
        ("kind: Config", "kubeconfig-no-contexts"),
        ("contexts: 5", "kubeconfig-no-contexts"),
        ("contexts: [5, {name: a}, {name: 5, context: {}}]", "kubeconfig-no-contexts"),
        ("contexts: [" + "".join(f"{{name: c{n}, context: {{}}}}," for n in range(101)) + "]", "kubeconfig-too-many"),
        ("contexts: [{name: prod, context: {}}]", "kubeconfig-incomplete"),
        ("contexts: [{name: prod, context: {cluster: p, user: [u]}}]", "kubeconfig-incomplete"),
        ("contexts: [{name: staging, context: {}}]", "kubeconfig-context-unknown"),
    ],
)
def test_a_text_that_is_no_usable_kubeconfig_says_why(text: str, code: str) -> None:
    assert refusal(text).code == code


def test_a_credential_is_in_no_representation() -> None:
    assert "s3cret" not in repr(Kubeconfig(config()).context("prod"))
    assert "s3cret" not in repr(Credential("s3cret", "c", "s3cret"))
