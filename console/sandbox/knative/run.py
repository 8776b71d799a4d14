"""Runs the small Knative beside the API server: controllers, kubelet and ingress."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from random import Random

import uvicorn

from console.sandbox.knative.clock import Clock
from console.sandbox.knative.cluster import Settings, Timings, cluster_of
from console.sandbox.knative.controllers import Controllers
from console.sandbox.knative.ingress import Ingress
from console.sandbox.store import Store

STOP_SECONDS = 2


class _Server(uvicorn.Server):
    """Uvicorn that leaves the signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(
    store: Store,
    *,
    clock: Clock,
    ingress_socket: socket.socket,
    idle_seconds: float = 60.0,
    initial_scale: int = 1,
    progress_deadline_seconds: float = 600.0,
    timings: Timings | None = None,
    chance: Random | None = None,
) -> None:
    """Follow the store and serve the ingress on a listening socket, until cancelled.

    Durations are in seconds of a real cluster, see `Clock`. A failure in any part ends the whole with that failure.
    """
    settings = Settings(
        idle_seconds=idle_seconds,
        initial_scale=initial_scale,
        progress_deadline_seconds=progress_deadline_seconds,
        timings=timings or Timings(),
    )
    async with asyncio.TaskGroup() as tasks:
        cluster = cluster_of(store, clock, settings, chance or Random(), tasks.create_task)  # noqa: S311 (no secret)
        controllers = Controllers(cluster)
        ingress = Ingress(cluster, controllers.table, controllers.revisions.autoscaler)
        server = _Server(
            uvicorn.Config(
                ingress,
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        tasks.create_task(controllers.follow())
        try:
            await server.serve([ingress_socket])
        finally:
            controllers.revisions.autoscaler.stop()
            for listening in getattr(server, "servers", ()):  # a cancelled server has not closed them
                listening.close()
