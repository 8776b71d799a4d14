"""Entries reach stdout or a syslog server in order, at least once, and nobody waits for it."""

from __future__ import annotations

import io
import json
import socket
import sys
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured

from console import audit
from console.audit import Outcome, forwarding
from console.audit.models import Entry, Forwarded
from console.deadlines import DeadlineExceeded
from console.knative.diff import FieldChange
from tests.audit.conftest import ALICE, REF
from tests.drips import SHORT, greedy_port


@pytest.fixture
def stdout(settings, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    settings.AUDIT_FORWARD = "stdout"
    written = io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", written)
    return written


def numbers(text: str) -> list[int]:
    return [json.loads(line)["sequence"] for line in text.splitlines()]


def test_each_entry_is_sent_in_order_and_the_next_call_goes_on(entries, stdout) -> None:
    assert forwarding.forward() == 5
    audit.record("later", actor=ALICE, outcome=Outcome.SUCCEEDED)
    assert forwarding.forward() == 1
    assert forwarding.forward() == 0
    assert numbers(stdout.getvalue()) == [1, 2, 3, 4, 5, 6]
    assert json.loads(stdout.getvalue().splitlines()[-1])["hash"] == Entry.objects.get(sequence=6).hash


def test_nothing_is_sent_without_a_destination(entries, settings) -> None:
    assert settings.AUDIT_FORWARD == ""
    assert forwarding.forward() == 0
    assert not Forwarded.objects.exists()


def test_what_could_not_be_sent_is_sent_later(entries, settings, stdout, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError("no space left")

    monkeypatch.setattr(sys, "__stdout__", Full())
    assert forwarding.forward() == 0
    monkeypatch.setattr(sys, "__stdout__", stdout)
    assert forwarding.forward() == 5
    assert numbers(stdout.getvalue()) == [1, 2, 3, 4, 5]


def test_one_process_sends_at_a_time_and_one_that_died_is_followed(entries, stdout) -> None:
    assert forwarding._claim("stdout")
    assert forwarding.forward() == 0
    Forwarded.objects.update(held_until="2026-01-01T00:00:00Z")
    assert forwarding.forward() == 5


def test_a_syslog_server_gets_datagrams_without_changes_that_do_not_fit(entries, settings) -> None:
    big = [FieldChange(("spec", "x"), None, "y" * 10_000)]
    audit.record("big", actor=ALICE, ref=REF, outcome=Outcome.SUCCEEDED, changes=big)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        settings.AUDIT_FORWARD = f"syslog://127.0.0.1:{server.getsockname()[1]}"
        assert forwarding.forward() == 6
        received = [server.recv(65_536).decode() for _ in range(6)]
    assert received[0].startswith("<14>sluice-audit: {")
    lines = [json.loads(line.partition("sluice-audit: ")[2]) for line in received]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert (lines[5]["changes"], lines[5]["changes_left_out"]) == ([], 1)


def test_a_syslog_server_gets_lines_over_tcp(entries, settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.AUDIT_FORWARD = f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}"
        received: list[str] = []

        def listen() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile(encoding="utf8") as lines:
                received.extend(line for _, line in zip(range(5), lines, strict=False))

        listener = threading.Thread(target=listen)
        listener.start()
        assert forwarding.forward() == 5
        listener.join(60)
    assert [json.loads(line.partition("sluice-audit: ")[2])["sequence"] for line in received] == [1, 2, 3, 4, 5]


def test_a_syslog_server_that_is_away_loses_nothing(entries, settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.AUDIT_FORWARD = f"syslog+tcp://127.0.0.1:{port}"
    assert forwarding.forward() == 0
    assert Forwarded.objects.get().sequence == 0


def test_a_destination_that_makes_no_sense_is_told(db) -> None:
    with pytest.raises(ImproperlyConfigured):
        forwarding.sender("carrier-pigeon")


def to_tcp(settings, port: int) -> None:
    settings.AUDIT_FORWARD = f"syslog+tcp://127.0.0.1:{port}"


def test_a_syslog_server_that_takes_no_line_ends(db, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "LINE_SECONDS", SHORT)
    audit.record("big", actor=ALICE, outcome=Outcome.SUCCEEDED, changes=[FieldChange(("x",), None, "y" * 8_000_000)])
    with greedy_port() as port:
        to_tcp(settings, port)
        with pytest.raises(TimeoutError):
            forwarding.sender(settings.AUDIT_FORWARD)(list(Entry.objects.all()))
        assert forwarding.forward() == 0
    assert Forwarded.objects.get().sequence == 0


def test_a_slow_syslog_server_gets_on_and_no_line_twice(entries, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "BATCH_SECONDS", -1.0)  # each batch is over after its first line
    with socket.create_server(("127.0.0.1", 0)) as server:
        to_tcp(settings, server.getsockname()[1])
        assert forwarding.forward() == 5
        connection, _ = server.accept()
        with connection, connection.makefile(encoding="utf8") as lines:
            received = [json.loads(next(lines).partition("sluice-audit: ")[2])["sequence"] for _ in range(5)]
    assert received == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("scheme", ["syslog", "syslog+tcp"])
def test_a_syslog_server_whose_name_is_not_found_out_ends(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(forwarding, "CONNECT_SECONDS", SHORT)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: over.wait(60))
    with pytest.raises(DeadlineExceeded):
        forwarding.sender(f"{scheme}://log.example.com:514")
    over.set()
