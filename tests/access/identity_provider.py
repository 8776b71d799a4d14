"""A real OpenID Connect provider in a process of its own, and a front before it that can lie.

The front passes everything on; the provider takes its name from the Host header, so that it calls itself by the
front's address. Told to lie, the front re-signs the ID token and publishes the key that it used.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.console_process import free_port
from tests.waiting import eventually

Claims = dict[str, Any]
CLIENT, SECRET = "sluice", "client-secret-of-at-least-32-bytes"


@functools.cache
def own_key() -> rsa.RSAPrivateKey:
    """The front's key. Made when it is first asked for: each takes a part of a second, and few workers need one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def other_key() -> rsa.RSAPrivateKey:
    """A key that the front does not publish."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(claims: Claims) -> str:
    """The claims as an ID token that the front's published key proves."""
    return jwt.encode(claims, own_key(), algorithm="RS256", headers={"kid": "front"})


@dataclass
class Provider:
    """Where the provider answers, what it was asked, and how it lies now."""

    url: str
    behind: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    id_token: Callable[[Claims], str | None] | None = None
    userinfo: Callable[[Claims], Claims] | None = None
    configuration: Callable[[Claims], Claims] | None = None
    token_refusal: tuple[int, dict[str, str]] | None = None
    drips_at: str = ""  # the path whose answer comes one byte at a time

    def knows(self, subject: str, **claims: Any) -> None:
        """Let the person exist there, with these claims."""
        requests.put(f"{self.behind}/users/{subject}", json=claims, timeout=60).raise_for_status()

    def honest(self) -> None:
        self.id_token = self.userinfo = self.configuration = self.token_refusal = None
        self.drips_at = ""
        self.asked.clear()

    def sign_in(self, address: str, subject: str) -> str:
        """Do what a person does there; returns the address that the browser is sent back to."""
        answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    def changed(self, path: str, content: bytes) -> bytes:
        """The provider's answer as the front gives it."""
        if path == "/oauth2/token" and self.id_token:
            told = json.loads(content)
            claims = jwt.decode(told["id_token"], options={"verify_signature": False})
            told["id_token"] = self.id_token(claims)
        elif path == "/jwks" and self.id_token:
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own_key().public_key()))
            told = {"keys": [{**key, "kid": "front", "use": "sig", "alg": "RS256"}]}
        elif path == "/userinfo" and self.userinfo:
            told = self.userinfo(json.loads(content))
        elif path.endswith("openid-configuration") and self.configuration:
            told = self.configuration(json.loads(content))
        else:
            return content
        return json.dumps(told).encode()


@contextmanager
def running() -> Iterator[Provider]:
    """Start the provider's process and the front; end both."""
    port, behind = free_port(), free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(behind)]
    environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    provider = Provider(f"http://localhost:{port}", f"http://localhost:{behind}")
    server = ThreadingHTTPServer(("localhost", port), _front(provider))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        eventually(lambda: _answers(provider.behind), message="the identity provider does not answer")
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/.well-known/openid-configuration", timeout=2).ok
    except requests.RequestException:
        return False


def _front(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Front(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.pass_on(b"")

        def do_POST(self) -> None:
            self.pass_on(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def pass_on(self, body: bytes) -> None:
            address = urlsplit(self.path)
            sent = parse_qs(address.query) | parse_qs(body.decode())
            provider.asked.append((address.path, {name: values[0] for name, values in sent.items()}))
            to, headers = provider.behind + self.path, dict(self.headers)
            answer = requests.request(self.command, to, data=body, headers=headers, allow_redirects=False, timeout=60)
            status, content = answer.status_code, provider.changed(address.path, answer.content)
            if address.path == "/oauth2/token" and provider.token_refusal:
                status, content = provider.token_refusal[0], json.dumps(provider.token_refusal[1]).encode()
            self.send_response(status)
            for name in ("Content-Type", "Location", "Set-Cookie"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            length = 100_000 if address.path == provider.drips_at else len(content)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if address.path == provider.drips_at:
                self.drip()
            else:
                self.wfile.write(content)

        def drip(self) -> None:
            path = provider.drips_at
            with contextlib.suppress(OSError):  # who asked has gone
                while provider.drips_at == path:
                    self.wfile.write(b" ")
                    time.sleep(0.02)

        def log_message(self, *_args: Any) -> None:
            """Say nothing: the test tells what went wrong."""

    return Front
