"""The sandbox as a process: ports, start, what runs beside the API, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from console.sandbox.announcement import Facts, address, announce
from console.sandbox.api import Api
from console.sandbox.bootstrap import bootstrap
from console.sandbox.certificate import Certificate, make_certificate
from console.sandbox.http_server import Server, configured, listening
from console.sandbox.identity import MASTERS, Tokens, authenticated
from console.sandbox.knative.admission import Admission
from console.sandbox.knative.clock import Clock
from console.sandbox.knative.run import run
from console.sandbox.knative.seed import seed
from console.sandbox.knative.version import NEWEST, Version, speaking_as
from console.sandbox.state import StateFile
from console.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, see __main__.py. `idle_seconds` is as on a real cluster: it is divided by `speed`."""

    host: str = "127.0.0.1"
    port: int = 0
    tls_port: int = 0
    ingress_host: str = "127.0.0.1"
    ingress_port: int = 0
    speed: float = 1.0
    seed: str = ""
    knative: Version = NEWEST
    ready_file: Path | None = None
    kubeconfig: Path | None = None
    state: Path | None = None
    token_file: Path | None = None
    idle_seconds: float = 60.0
    initial_scale: int = 1
    progress_deadline_seconds: float = 600.0
    bookmark_seconds: float = 30.0


async def serve(options: Options) -> None:
    """Run the sandbox until SIGTERM or SIGINT; raises ValueError or OSError when it cannot start."""
    with speaking_as(options.knative):
        await _serve(options)


async def _serve(options: Options) -> None:
    # Versions start at the time, so that after a restart no version of an earlier life looks like one of this life:
    # a client that resumes with an old one gets 410 and lists again.
    store = Store(first_version=int(time.time() * 1000))
    tokens = Tokens.from_file(options.token_file) if options.token_file else Tokens()
    token = tokens.token_of_admin() or tokens.issue(authenticated("admin", "admin", [MASTERS]))
    state = StateFile(options.state, store) if options.state else None
    is_new = not (state and state.load())
    bootstrap(store)
    if is_new and options.seed:
        seed(store, options.seed)
    clock = Clock(options.speed)
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-tls-")))
        plain, tls, ingress = (
            held.enter_context(listening(host, port))
            for host, port in (
                (options.host, options.port),
                (options.host, options.tls_port),
                (options.ingress_host, options.ingress_port),
            )
        )
        certificate = make_certificate(folder, options.host)
        admission = Admission(store)
        api = Api(
            store,
            tokens,
            admission,
            warn=admission.warnings,
            clock=clock,
            bookmark_seconds=options.bookmark_seconds,
            authority=certificate.text,
        )
        facts = _facts(plain, tls, ingress, certificate, token)
        servers = {
            plain: Server(configured(api), api.end_streams),
            tls: Server(configured(api, certificate), api.end_streams),
        }
        beside: list[Awaitable[None]] = [
            run(
                store,
                clock=clock,
                ingress_socket=ingress,
                idle_seconds=options.idle_seconds,
                initial_scale=options.initial_scale,
                progress_deadline_seconds=options.progress_deadline_seconds,
            )
        ]
        if state:
            beside.append(state.keep())
        try:
            await _serve_all(servers, beside, lambda: announce(facts, options.ready_file, options.kubeconfig))
        finally:
            if state:
                state.save()


async def _serve_all(
    servers: dict[socket.socket, Server], beside: list[Awaitable[None]], on_ready: Callable[[], None]
) -> None:
    """Serve until a signal. What runs beside ends with the servers; should it end before them, they end too."""

    def stop() -> None:
        for server in servers.values():
            server.force_exit = server.should_exit  # asked a second time: at once
            server.should_exit = True

    tasks = [asyncio.ensure_future(each) for each in beside]
    for task in tasks:
        task.add_done_callback(lambda _: stop())
    serving = [asyncio.ensure_future(server.serve([listener])) for listener, server in servers.items()]
    with _stopping_on_signals(stop):
        for server in servers.values():
            await server.is_listening.wait()  # it cannot fail: the sockets listen already
        if not any(task.done() for task in tasks):
            on_ready()
        await asyncio.gather(*serving)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


@contextlib.contextmanager
def _stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _facts(
    plain: socket.socket, tls: socket.socket, ingress: socket.socket, certificate: Certificate, token: str
) -> Facts:
    ingress_host, ingress_port = ingress.getsockname()[:2]
    return Facts(
        url=address(plain),
        tls_url=address(tls, "https"),
        certificate=certificate.text,
        ingress=address(ingress),
        ingress_host=ingress_host,
        ingress_port=ingress_port,
        token=token,
        pid=os.getpid(),
    )
