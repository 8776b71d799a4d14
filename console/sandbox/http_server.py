"""Uvicorn as the sandbox needs it: a hook before its end, sockets that are open before it starts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn

from console.sandbox.api import Api
from console.sandbox.certificate import Certificate

STOP_SECONDS = 3  # for requests under way; watches are ended at once
KEEP_ALIVE_SECONDS = 75  # longer than clients keep idle connections, so that they close them, not the server
BACKLOG = 512


class Server(uvicorn.Server):
    """Uvicorn with a hook before its shutdown; signals are the caller's business, as two servers share them."""

    def __init__(self, config: uvicorn.Config, on_stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stopping = on_stopping
        self.is_listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        self.is_listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the watches first: they would outlast any patience."""
        self._on_stopping()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: see `stop_on_signals`."""
        yield


def configured(api: Api, certificate: Certificate | None = None) -> uvicorn.Config:
    """How the API is served, over TLS with a certificate."""
    return uvicorn.Config(
        api.app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_keyfile=str(certificate.key_file) if certificate else None,
        ssl_certfile=str(certificate.file) if certificate else None,
    )


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, so that the port is known, and taken, before anything is announced."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's delay only for sockets that name TCP; with it every answer took 40 ms longer.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
        yield listener
