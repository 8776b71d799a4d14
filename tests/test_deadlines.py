"""Deadlines nest, and hold also for what takes no timeout of its own."""

from __future__ import annotations

import socket
import threading

import pytest
import urllib3

from console import deadlines
from console.deadlines import DeadlineExceeded, Timed, TimedHttpPool, connect, give_up_in_time, left, within
from console.run import __main__ as run
from tests.cluster.scripted_server import answer, scripted
from tests.drips import DRIPS, SHORT, ended_by_deadline


def test_an_inner_deadline_never_prolongs_an_outer_one() -> None:
    with within(1), within(100):
        assert left() <= 1
    assert left() == float("inf")


def test_without_a_deadline_answers_are_read_as_ever() -> None:
    with scripted(answer({"kind": "Service"})) as server:
        connection = Timed("127.0.0.1", server.port)
        connection.request("GET", "/")
        assert connection.getresponse().data == b'{"kind": "Service"}'
        connection.close()


def test_what_takes_no_timeout_is_given_up() -> None:
    over = threading.Event()
    with within(SHORT), pytest.raises(DeadlineExceeded):
        give_up_in_time(over.wait, 60)
    over.set()


def test_what_ends_in_time_returns_or_raises_its_own() -> None:
    with within(60):
        assert give_up_in_time(int, "5") == 5
        with pytest.raises(ValueError, match="invalid literal"):
            give_up_in_time(int, "five")


def test_not_more_than_so_many_are_given_up_at_once(monkeypatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(deadlines, "_abandoned", threading.BoundedSemaphore(1))
    with within(SHORT), pytest.raises(DeadlineExceeded):
        give_up_in_time(over.wait, 60)
    with within(SHORT), pytest.raises(DeadlineExceeded, match="too many"):
        give_up_in_time(int, "5")
    over.set()
    with within(60):
        assert give_up_in_time(int, "5") == 5


def test_a_host_none_of_whose_addresses_answers_ends(monkeypatch) -> None:
    """A full queue of connections drops what comes, so that each further attempt waits."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * 1000
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: found)
            with within(SHORT), pytest.raises(DeadlineExceeded):
                connect("many.example.com", 80, timeout=SHORT / 3)
        finally:
            for one in waiting:
                one.close()


def test_the_first_address_that_takes_the_connection_is_used(monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one.getsockname()) for one in (unused, listener)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: found)
        with within(60), connect("two.example.com", 80, timeout=60) as made:
            assert made.getpeername() == listener.getsockname()


def test_the_first_look_at_the_own_web_process_ends(monkeypatch) -> None:
    monkeypatch.setattr(run, "ASK_SECONDS", SHORT)
    with scripted(DRIPS["the body"]) as server:
        web = TimedHttpPool("127.0.0.1", server.port, retries=False, timeout=60)
        with pytest.raises(urllib3.exceptions.HTTPError) as caught:
            run.ask(web, "/")
        assert ended_by_deadline(caught.value)
        assert not server.has_dripped_all
