"""Which ASGI server costs least, and which keeps what the console promises? One process of each, in one run.

    python -m tests.bench.servers [services]

For each server: requests a second and CPU of a request, for one that does nothing and for the list; memory before and
with 200 event streams; whether SIGTERM ends the streams and the process; whether too large a body is refused in the
reader's language; whether a client's X-Forwarded-For is left alone. Servers that are not installed are left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.memory import cluster, is_whole, usage
from tests.bench.stream_backends import COOKIE, hold, sign_in
from tests.console_process import ROOT, RunningConsole, console, free_port
from tests.sandbox_process import sandbox
from tests.waiting import eventually

CONNECTIONS = 8
SECONDS = 4.0
STREAMS = 200
STOP_SECONDS = 30
UVICORN = ["uvicorn", "console.asgi:application", "--no-access-log", "--no-server-header", "--no-proxy-headers"]
UVICORN += ["--timeout-graceful-shutdown", "5"]
GRANIAN = ["granian", "console.asgi:application", "--no-ws", "--workers-kill-timeout", "5"]
SERVERS = {
    "uvicorn, asyncio, h11": [*UVICORN, "--loop", "asyncio", "--http", "h11"],
    "uvicorn, asyncio, httptools": [*UVICORN, "--loop", "asyncio", "--http", "httptools"],
    "uvicorn, uvloop, httptools": [*UVICORN, "--loop", "uvloop", "--http", "httptools"],
    "granian, asyncio": [*GRANIAN, "--interface", "asginl", "--loop", "asyncio"],
    "granian, uvloop": [*GRANIAN, "--interface", "asginl", "--loop", "uvloop"],
}


def is_installed(command: list[str]) -> bool:
    return all(importlib.util.find_spec(name) for name in (command[0], *command) if name in INSTALLED_BY_NAME)


INSTALLED_BY_NAME = {"uvicorn", "granian", "uvloop", "httptools"}


@contextmanager
def served(command: list[str], running: RunningConsole) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a server for the state of a running console; yields the process and its port."""
    port = free_port()
    kept = json.loads((running.state / "environment.json").read_text())
    environment = {**os.environ, **kept, "CONSOLE_STATE_DIR": str(running.state), "CONSOLE_LOG_LEVEL": "ERROR"}
    where = ["--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, *where], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        eventually(lambda: asyncio.run(_status(port)) == 200, timeout=60)
        yield process, port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the children that granian leaves behind
        process.wait()


async def _status(port: int) -> int:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0
    status, _ = await exchange(reader, writer, "/healthz/live", "")
    writer.close()
    return status


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, more: str, method: str = "GET"
) -> tuple[int, bytes]:
    """Send a request on a connection that stays open; returns the status and the body."""
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
    return int(head.split()[1]), await reader.readexactly(length)


async def load(port: int, path: str, session: str, seconds: float) -> int:
    """Keep all connections busy for so long; returns the number of answers."""
    counts = await asyncio.gather(*(_busy(port, path, session, time.monotonic() + seconds) for _ in range(CONNECTIONS)))
    return sum(counts)


async def _busy(port: int, path: str, session: str, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.monotonic() < until:
        status, _ = await exchange(reader, writer, path, f"Cookie: {COOKIE}={session}\r\n" if session else "")
        if status != 200:
            raise RuntimeError(f"{path} was answered {status}")
        count += 1
    writer.close()
    return count


async def rate(process: subprocess.Popen[bytes], port: int, path: str, session: str) -> str:
    await load(port, path, session, SECONDS / 4)
    before = usage(process.pid).cpu
    count = await load(port, path, session, SECONDS)
    cpu = usage(process.pid).cpu - before
    return f"{count / SECONDS:5.0f} a second, {1000 * cpu / count:.2f} ms of CPU"


async def streams(process: subprocess.Popen[bytes], port: int, sessions: list[str]) -> str:
    """Open streams, end the process by SIGTERM: what did they hold, how long did it take?"""
    before = usage(process.pid).pss
    url = f"http://127.0.0.1:{port}"
    held = [await hold(url, sessions[number % len(sessions)]) for number in range(STREAMS)]
    await asyncio.sleep(2)
    after = usage(process.pid).pss
    began = time.monotonic()
    process.terminate()
    while process.poll() is None and time.monotonic() - began < STOP_SECONDS:
        await asyncio.sleep(0.02)
    took = time.monotonic() - began
    for writer in held:
        writer.close()
    return f"{before:.0f} MB, {after:.0f} with {STREAMS} streams; SIGTERM took {took:.1f} s, exit code {process.poll()}"


async def too_large(port: int) -> str:
    found = []
    for head in ("Content-Length: 5000000\r\n", "Transfer-Encoding: chunked\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = asyncio.create_task(
            exchange(reader, writer, "/accounts/login/", f"Accept-Language: zh-hans\r\n{head}", "POST")
        )
        await asyncio.sleep(0.1)
        if "chunked" in head:
            for _ in range(80):
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        try:
            head_of_answer = await asyncio.wait_for(request, 10)
            found.append(str(head_of_answer[0]))
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            found.append(type(error).__name__)
        writer.close()
    return f"too large a body, announced or in chunks: {', '.join(found)}"


def measure(name: str, command: list[str], running: RunningConsole, sessions: list[str]) -> None:
    with served(command, running) as (process, port):
        print(name)
        for path, session in (("/healthz/live", ""), ("/", sessions[0])):
            print(f"    {path:14} {asyncio.run(rate(process, port, path, session))}")
        print(f"    {asyncio.run(too_large(port))}")
        print(f"    {asyncio.run(streams(process, port, sessions))}", flush=True)


def main(services: int) -> None:
    with tempfile.TemporaryDirectory() as folder, sandbox(seed=f"capacity:{services},2", speed=1) as box:
        environment = {"CONSOLE_CLUSTERS": cluster(box, Path(folder)), "CONSOLE_DEMO": "1"}
        with console(environment=environment) as running:
            eventually(lambda: is_whole(running), timeout=120)
            sessions = sign_in(STREAMS // 10, {"CONSOLE_STATE_DIR": str(running.state)})
            for name, command in SERVERS.items():
                if is_installed(command):
                    measure(name, command, running, sessions)
                else:
                    print(f"{name}: not installed")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["1000"])[0]))
