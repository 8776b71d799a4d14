"""Every place in the code that calls out is known here, with the test that shows how it ends.

A new call makes this test fail: give the call a deadline (console.deadlines), a limit of bytes and a test
with a server that drips, and enter it below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What can open a connection, ask a name service or wait for a program.
LIBRARIES = (
    "aiohttp", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "asyncio.open_connection",
    "asyncio.open_unix_connection", "console.deadlines.Timed", "console.deadlines.TimedHttpPool",
    "console.deadlines.TimedHttpsPool", "console.deadlines.connect", "django.core.mail", "ftplib", "http.client",
    "httpx", "imaplib", "kombu", "kubernetes", "logging.handlers", "nntplib", "os.popen", "os.system", "poplib",
    "redis", "requests", "smtplib", "socket", "socketserver", "subprocess", "telnetlib", "urllib.request",
    "urllib3", "websockets", "xmlrpc",
)  # fmt: skip
# Of those: constants, errors, and what only describes a call.
HARMLESS = (
    "kombu.exceptions", "kombu.transport.redis", "kubernetes.client.Configuration", "kubernetes.config.ConfigException",
    "logging.handlers.SYSLOG_UDP_PORT", "redis.backoff", "redis.retry", "redis.exceptions",
    "requests.HTTPError", "requests.RequestException", "requests.Response", "socket.gaierror", "subprocess.DEVNULL",
    "subprocess.TimeoutExpired", "urllib3.HTTPHeaderDict", "urllib3.Timeout", "urllib3.exceptions",
    "urllib3.util.ssl_.create_urllib3_context",
)  # fmt: skip
# Calls out through an object whose type is not seen here.
METHODS = (
    "apply_async", "create_connection", "get_api_key_with_prefix", "getresponse", "open_connection", "send_task",
    "urlopen",
)  # fmt: skip
# Where, in what, which: the test in which the other side drips or is silent; or why nobody outside is called.
API, REDIS, LOGS, OIDC, ANY = (
    "tests/cluster/test_deadlines.py", "tests/test_redis_client.py", "tests/audit/test_forwarding.py",
    "tests/access/test_slow_provider.py", "tests/test_deadlines.py",
)  # fmt: skip
A_CALL = f"{API}::test_a_read_ends"
A_HANDSHAKE = f"{API}::test_a_handshake_of_tls_that_drips_ends_and_nothing_was_written"
A_COMMAND = f"{REDIS}::test_a_command_whose_answer_drips_ends"
AN_ANSWER = f"{OIDC}::test_an_answer_that_drips_ends"
A_LINE = f"{LOGS}::test_a_syslog_server_that_takes_no_line_ends"
A_LOG_NAME = f"{LOGS}::test_a_syslog_server_whose_name_is_not_found_out_ends"
A_BROKER = "tests/faults/test_broker.py::test_redis_hangs_during_submit"
A_SUBSCRIPTION = "tests/mirror/test_announcements.py::test_a_redis_that_falls_silent_is_left"
NAMES = f"{API}::test_a_name_service_that_does_not_answer_ends"
KUBECONFIG = f"{API}::test_a_program_of_a_kubeconfig_that_does_not_answer_ends"
LISTENS = "local: listens, or looks whether a port is free"
STARTS = "local: starts our own processes, which the supervisor ends"
KNOWN = {
    "access/oidc/calls.py _TimedAdapter requests.adapters.HTTPAdapter": AN_ANSWER,
    "access/oidc/calls.py session requests.Session": AN_ANSWER,
    "audit/forwarding.py _Syslog logging.handlers.SysLogHandler": A_LINE,
    "audit/forwarding.py _Syslog.createSocket console.deadlines.connect": A_LOG_NAME,
    "audit/forwarding.py _resolved socket.getaddrinfo": A_LOG_NAME,
    "cluster/service_request.py _pool console.deadlines.TimedHttpPool": f"{API}::test_a_test_request_ends",
    "cluster/service_request.py _pool console.deadlines.TimedHttpsPool": (
        f"{API}::test_a_test_request_over_tls_ends_in_the_handshake"
    ),
    "cluster/service_request.py ask .request": f"{API}::test_a_test_request_ends",
    "cluster/addresses.py resolve socket.getaddrinfo": (
        f"{API}::test_a_connection_test_tells_that_the_name_service_does_not_answer"
    ),
    "cluster/connections.py <module> socket": "local: asks which options sockets have",
    "cluster/connections.py _configure kubernetes.config.load_incluster_config": KUBECONFIG,
    "cluster/connections.py _configure kubernetes.config.load_kube_config": KUBECONFIG,
    "cluster/connections.py connect kubernetes.client.rest.RESTClientObject": A_CALL,
    "cluster/transport.py Transport._send .request": A_CALL,
    "cluster/transport.py _token .get_api_key_with_prefix": KUBECONFIG,
    "deadlines.py Timed urllib3.connection.HTTPConnection": A_CALL,
    "deadlines.py _Response http.client.HTTPResponse": A_CALL,
    "deadlines.py connect socket.getaddrinfo": NAMES,
    "deadlines.py connect socket.socket": f"{ANY}::test_a_host_none_of_whose_addresses_answers_ends",
    "queue.py enqueue .send_task": A_BROKER,
    "queue.py enqueue kombu.pools.producers": A_BROKER,
    "operations/tasks.py perform socket.gethostname": "local: this machine's own name",
    "web/stream_count.py _me socket.gethostname": "local: this machine's own name",
    "redis_client.py TimedPool redis.ConnectionPool": A_COMMAND,
    "redis_client.py _TimedTcp redis.connection.Connection": A_COMMAND,
    "redis_client.py async_client redis.asyncio.Redis.from_url": A_SUBSCRIPTION,
    "redis_client.py new_client redis.Redis.from_pool": A_COMMAND,
    "run/__main__.py ask .request": f"{ANY}::test_the_first_look_at_the_own_web_process_ends",
    "run/__main__.py manage subprocess.run": STARTS,
    "run/__main__.py refuse_taken_port socket.socket": LISTENS,
    "run/supervisor.py Process.start subprocess.Popen": STARTS,
    "sandbox/http_server.py listening socket.socket": LISTENS,
    "cluster/guarding.py _Guarded console.deadlines.Timed": A_CALL,
    "cluster/guarding.py _HttpPool urllib3.HTTPConnectionPool": A_CALL,
    "cluster/guarding.py _Https urllib3.connection.HTTPSConnection": A_HANDSHAKE,
    "cluster/guarding.py _HttpsPool urllib3.HTTPSConnectionPool": A_HANDSHAKE,
    "cluster/guarding.py _LocalHttpPool urllib3.HTTPConnectionPool": A_CALL,
    "cluster/guarding.py _LocalHttps urllib3.connection.HTTPSConnection": A_HANDSHAKE,
    "cluster/guarding.py _LocalHttpsPool urllib3.HTTPSConnectionPool": A_HANDSHAKE,
    "deadlines.py TimedHttpPool urllib3.HTTPConnectionPool": A_CALL,
    "deadlines.py TimedHttpsPool urllib3.HTTPSConnectionPool": A_HANDSHAKE,
    "deadlines.py _TimedHttps urllib3.connection.HTTPSConnection": A_HANDSHAKE,
    "redis_client.py _TimedTls redis.connection.SSLConnection": A_COMMAND,
    "redis_client.py _TimedUnix redis.connection.UnixDomainSocketConnection": A_COMMAND,
    "run/__main__.py _run console.deadlines.TimedHttpPool": f"{ANY}::test_the_first_look_at_the_own_web_process_ends",
}


@dataclass(frozen=True, order=True)
class Found:
    """A use of something that calls out."""

    path: str
    inside: str
    what: str

    def __str__(self) -> str:
        return f"{self.path} {self.inside} {self.what}"


class Finder(ast.NodeVisitor):
    """Resolves names through the module's imports; type annotations call nothing and are left out."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: dict[str, str] = {}
        self.inside: list[str] = []
        self.found: list[Found] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.names[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Only an annotation."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._enter(node, *node.decorator_list, node.args, *node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._enter(node, *node.decorator_list, *node.bases, *node.keywords, *node.body)

    def _enter(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, *parts: ast.AST) -> None:
        self.inside.append(node.name)
        for part in parts:
            self.visit(part)
        self.inside.pop()

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "request":  # views have one that they do not call
            self._note(".request")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._judge(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if name := self._resolved(node):
            if node.attr in METHODS and not _within(name, LIBRARIES):  # as of an application that was imported
                self._note(f".{node.attr}")
            self._judge(node)
            return
        if node.attr in METHODS:
            self._note(f".{node.attr}")
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        for part in node.body:
            self.visit(part)

    def _judge(self, node: ast.expr) -> None:
        name = self._resolved(node)
        if name and _within(name, LIBRARIES) and not _within(name, HARMLESS) and not _is_constant(name):
            self._note(name)

    def _resolved(self, node: ast.expr) -> str:
        """The dotted name that the expression means, empty when it is no imported one."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            before = self._resolved(node.value)
            return f"{before}.{node.attr}" if before else ""
        return ""

    def _note(self, what: str) -> None:
        self.found.append(Found(self.path, ".".join(self.inside) or "<module>", what))


def _within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _is_constant(name: str) -> bool:
    module, _, last = name.rpartition(".")
    return (last.isupper() and module in ("socket", "subprocess")) or last.endswith("Error")


def uses(text: str, path: str = "some.py") -> set[str]:
    finder = Finder(path)
    finder.visit(ast.parse(text))
    return set(map(str, finder.found))


def everything() -> Iterator[str]:
    for path in sorted((ROOT / "console").rglob("*.py")):
        yield from uses(path.read_text(), str(path.relative_to(ROOT / "console")))


def test_every_place_that_calls_out_is_known_and_none_is_that_is_gone() -> None:
    assert set(everything()) == set(KNOWN)


@pytest.mark.parametrize("where", KNOWN)
def test_the_test_in_which_the_other_side_drips_is_there(where: str) -> None:
    path, _, name = KNOWN[where].partition("::")
    if not path.startswith("local: "):
        assert f"def {name}(" in (ROOT / path).read_text()


CALLS = {
    "import requests\ndef f(): requests.get('x')": "requests.get",
    "import requests as r\ndef f(): return r.Session().get('x')": "requests.Session",
    "from urllib.request import urlopen as u\ndef f(): u('x')": "urllib.request.urlopen",
    "import urllib.request\ndef f(): urllib.request.urlopen('x')": "urllib.request.urlopen",
    "import urllib3\ndef f(): urllib3.PoolManager().request('GET', 'x')": "urllib3.PoolManager",
    "import socket\ndef f(): g(socket.create_connection)": "socket.create_connection",
    "import redis\ndef f(): redis.Redis.from_url('x')": "redis.Redis.from_url",
    "from redis import Redis\ndef f(): Redis()": "redis.Redis",
    "from http import client\ndef f(): client.HTTPSConnection('x')": "http.client.HTTPSConnection",
    "def f():\n from smtplib import SMTP\n SMTP('x')": "smtplib.SMTP",
    "from django.core.mail import send_mail\ndef f(): send_mail()": "django.core.mail.send_mail",
    "import subprocess\nasync def f(): subprocess.run([])": "subprocess.run",
    "from kubernetes import client\ndef f(): client.CoreV1Api()": "kubernetes.client.CoreV1Api",
    "import httpx\ndef f(way=httpx.get): pass": "httpx.get",
    "def f(pool): pool.request('GET', '/')": ".request",
    "def f(task): task.apply_async()": ".apply_async",
    "from celery import current_app\ndef f(): current_app.send_task()": ".send_task",
}


@pytest.mark.parametrize("text", CALLS)
def test_a_new_call_is_found(text: str) -> None:
    assert f"some.py f {CALLS[text]}" in uses(text)


QUIET = (
    "import redis\ndef f(client: redis.Redis) -> redis.Redis:\n x: redis.Redis = client\n return x",
    "import redis\ntry: pass\nexcept redis.RedisError: pass",
    "import urllib3\nx = urllib3.Timeout(3)",
    "def f(request): return request.user",
)


@pytest.mark.parametrize("text", QUIET)
def test_what_calls_nobody_is_not_found(text: str) -> None:
    assert uses(text) == set()
