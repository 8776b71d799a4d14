"""`python -m console.serve`: the web server, as one process or as several that share its socket.

uvicorn starts them, starts one again that ended, and ends all on SIGTERM. docs/decisions/0028 compares servers.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
from typing import Any

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from console.counter_files import shared_counts
from console.logging import logging_config

PROCESSES = "CONSOLE_WEB_PROCESSES"
MAX_PROCESSES = 12  # as many as a session may have streams: each process has its share (console.web.stream)
MAX_DEFAULT_PROCESSES = 2  # workers, watcher and Redis need cores too
GRACE_SECONDS = 5  # for requests that are being answered when SIGTERM comes; streams end at once
HANG_SECONDS = 30  # without an answer to its parent a process is replaced
TELL_SECONDS = 5  # between two notes about this process, for /metrics

log = structlog.get_logger(__name__)


class InvalidSetting(Exception):
    """A variable of the environment says nothing that can be done."""


class WebConfig(uvicorn.Config):
    """uvicorn's settings, loaded again in each process."""

    def load_app(self) -> Any:
        """Import the application; one that cannot be imported ends the server, instead of being tried again."""
        _end_with_parent()
        try:
            app = super().load_app()
            _keep_from_collector()
        except Exception:
            log.exception("web_not_started")
            sys.exit(STARTUP_FAILURE)
        return app


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m console.serve", description="The web server of the console.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(arguments)
    logging_config(level=os.environ.get("CONSOLE_LOG_LEVEL", "INFO"), form=os.environ.get("CONSOLE_LOG_FORMAT", "json"))
    try:
        config = config_for(chosen.host, chosen.port, processes())
    except InvalidSetting as error:
        sys.exit(str(error))
    os.environ[PROCESSES] = str(config.workers)  # each divides by it what it may hold
    with shared_counts():
        return _serve(config)


def _serve(config: WebConfig) -> int:
    if config.workers > 1:
        return _serve_in_processes(config, config.bind_socket())
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else STARTUP_FAILURE


def processes() -> int:
    """Return how many processes serve: what CONSOLE_WEB_PROCESSES says, else one for a core and at most two."""
    text = os.environ.get(PROCESSES, "")
    if not text:
        return min(_cores(), MAX_DEFAULT_PROCESSES)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PROCESSES):
        raise InvalidSetting(f"{PROCESSES} is {text!r}, which is not a number from 1 to {MAX_PROCESSES}.")
    return int(text)


def _cores() -> int:
    """The cores that this process may use; all of the machine where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def config_for(host: str, port: int, workers: int) -> WebConfig:
    """Return how the console is served, the same on a laptop and in a container."""
    return WebConfig(
        "console.asgi:application",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="console.http_protocol:LimitedHttp",
        ws="none",
        lifespan="off",
        log_config=None,  # console.logging has set it up
        access_log=False,
        server_header=False,
        proxy_headers=False,  # CONSOLE_TRUSTED_PROXIES says whose X-Forwarded-For counts
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=HANG_SECONDS,
        callback_notify=tell,
        timeout_notify=TELL_SECONDS,
    )


def _keep_from_collector() -> None:
    """Keep the collector of cycles from looking through what stays, all of the program, and from looking so often.

    Looking through all took 0.1 to 0.2 s, in which the process answered nobody; requests make few cycles.
    """
    from django.urls import get_resolver  # after the set-up

    _ = get_resolver().url_patterns  # imports every view
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def tell() -> None:
    """Note in Redis how many event streams this process has, for whichever process is asked for /metrics."""
    from console.web import stream_count  # in the processes that have loaded the application

    await asyncio.to_thread(stream_count.tell)


def _serve_in_processes(config: WebConfig, shared: socket.socket) -> int:
    manager = Multiprocess(config, [shared])
    manager.run()
    return STARTUP_FAILURE if any(one.exitcode == STARTUP_FAILURE for one in manager.processes) else 0


def _end_with_parent() -> None:
    """End when the process that started this one is gone: it would keep the port that the next one needs."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
