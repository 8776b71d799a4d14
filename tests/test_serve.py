"""The web server: how many processes, what a client may send before anything of ours sees it, and must take."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import uvicorn

from console import http_protocol, serve
from console.http_protocol import MAX_HEAD, LimitedHttp
from console.serve import InvalidSetting

PIECE = b"x" * 16 * 1024
SLOW = 512 * 1024  # bytes of the 4 MB that the kernel keeps for a browser
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
ENDLESS = 100 * MAX_HEAD
WAIT = 60  # seconds
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (16, 2)])
def test_web_takes_a_process_for_each_core_and_leaves_cores_to_others(
    monkeypatch: pytest.MonkeyPatch, cores: int, expected: int
) -> None:
    monkeypatch.delenv(serve.PROCESSES, raising=False)
    monkeypatch.setattr(serve.os, "sched_getaffinity", lambda _pid: range(cores), raising=False)
    assert serve.processes() == expected


@pytest.mark.parametrize("text", ["0", "-1", "13", "two", "٣", "1.5"])
def test_a_number_of_processes_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(serve.PROCESSES, text)
    with pytest.raises(InvalidSetting, match=r"CONSOLE_WEB_PROCESSES is .*from 1 to 12"):
        serve.processes()


def test_what_the_program_is_made_of_is_not_looked_through_for_cycles_again_and_again() -> None:
    """That took a process up to 0.2 s at once, in which it answered nobody."""
    usual = gc.get_threshold()
    gc.unfreeze()
    try:
        serve.config_for("127.0.0.1", 0, 1).load_app()
        assert gc.get_freeze_count() > 50_000
        assert gc.get_threshold() > (10_000, 10, 10)
    finally:
        gc.set_threshold(*usual)


async def echo_length(scope, receive, send) -> None:
    """An application that reads the whole body and answers its length."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    text = str(length).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@asynccontextmanager
async def connection(application=echo_length) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(application, http=LimitedHttp, log_config=None, lifespan="off")
    config.load()
    state = uvicorn.server.ServerState()
    listening = await asyncio.get_running_loop().create_server(
        lambda: LimitedHttp(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        listening.close()


async def taken(opening: bytes, piece: bytes) -> int:
    """How many bytes the server takes of a request that goes on and on, until it closes the connection."""
    async with connection() as (reader, writer):
        writer.write(opening)
        count = len(opening)
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof() and count < ENDLESS:
                writer.write(piece)
                await writer.drain()
                count += len(piece)
                await asyncio.sleep(0)
        return count


@pytest.mark.parametrize(
    ("opening", "piece"),
    [
        (HEAD + b"X-Long: ", PIECE),
        (HEAD, b"X-Again: " + PIECE + b"\r\n"),
        (b"GET /", PIECE),
        (CHUNKED + b"0\r\nX-Trailer: ", PIECE),
        (CHUNKED + b"0\r\n", b"X-Trailer: " + PIECE + b"\r\n"),
        (CHUNKED + b"5;", PIECE),
    ],
    ids=["a header", "headers", "an address", "a trailer", "trailers", "a chunk's extension"],
)
async def test_a_request_that_does_not_end_fills_no_memory(opening: bytes, piece: bytes) -> None:
    assert await taken(opening, piece) < ENDLESS


async def test_a_long_body_and_many_requests_on_one_connection_are_not_taken_for_a_head() -> None:
    body = PIECE * 20
    async with connection() as (reader, writer):
        for _ in range(3):
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert b"200" in await reader.readline()
            assert (await reader.readuntil(b"%d" % len(body))).endswith(b"%d" % len(body))


class Clock:
    """A loop that calls what is due when the test says so."""

    due = None

    def call_later(self, _seconds: float, callback, *args) -> asyncio.Handle:
        self.due = partial(callback, *args)
        return asyncio.Handle(callback, args, asyncio.get_running_loop())


@asynccontextmanager
async def full_connection() -> AsyncIterator[tuple[LimitedHttp, Clock, socket.socket]]:
    """The server's end of a connection that takes no more, what it waits for, and the browser's end."""
    config = uvicorn.Config(echo_length, http=LimitedHttp, log_config=None, lifespan="off")
    config.load()
    protocol = LimitedHttp(config=config, server_state=uvicorn.server.ServerState(), app_state={})
    async with await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0) as listening:
        with socket.create_connection(listening.sockets[0].getsockname()) as browser:
            browser.setblocking(False)
            while protocol.transport is None:
                await asyncio.sleep(0)
            protocol.loop = clock = Clock()
            while clock.due is None:
                protocol.transport.write(PIECE)
                await asyncio.sleep(0)
            yield protocol, clock, browser
            protocol.transport.abort()


async def test_who_takes_an_answer_slowly_is_not_cut_off_and_who_stops_taking_it_is() -> None:
    async with asyncio.timeout(WAIT), full_connection() as (protocol, clock, browser):
        for _ in range(3):
            before, taken = protocol._waiting(), 0
            while protocol._waiting() >= before:
                with contextlib.suppress(BlockingIOError):
                    taken += len(browser.recv(len(PIECE)))
                await asyncio.sleep(0)
            assert taken < SLOW
            clock.due()
            assert not protocol.transport.is_closing()
        while not protocol.transport.is_closing():
            clock.due()
            await asyncio.sleep(0)


async def test_a_browser_that_takes_nothing_of_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stream would hold a task, a share of its person's streams and what the kernel keeps for it, without end."""
    monkeypatch.setattr(http_protocol, "STALLED_SECONDS", 0.01)
    is_cut_off = asyncio.Event()

    async def endless(_scope, receive, send) -> None:
        await receive()
        gone = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.done():
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            await asyncio.sleep(0)
        is_cut_off.set()

    async with connection(endless) as (_reader, writer):
        writer.write(HEAD + b"\r\n")
        await asyncio.wait_for(is_cut_off.wait(), WAIT)
