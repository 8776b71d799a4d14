"""Sending the log elsewhere as JSON lines, after the fact and at least once: nothing that people do waits for it."""

import json
import logging
import socket
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from logging.handlers import SYSLOG_UDP_PORT, SysLogHandler
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.db.models.functions import Now

from console.audit.export import json_line, row
from console.audit.models import Entry, Forwarded
from console.deadlines import connect, give_up_in_time, within

BATCH_SIZE = 500  # entries between two moves of the cursor
HELD = timedelta(seconds=60)
LONGEST = 20.0  # seconds that one call lasts
ADDRESS_SECONDS = 5.0  # for each address of the syslog server to take the connection
CONNECT_SECONDS = 10.0  # for looking it up and connecting
LINE_SECONDS = 5.0  # for it to take a line
BATCH_SECONDS = 20.0  # for one batch, then the cursor moves; HELD is more than this, a line, LONGEST and a connection
DATAGRAM = 8000  # bytes of a line; a longer one is sent without its changes

Send = Callable[[Sequence[Entry]], int]  # returns how many of them, one at least, were taken in time

log = structlog.get_logger(__name__)


def forward() -> int:
    """Send what was recorded since the last time to CONSOLE_AUDIT_FORWARD; returns how many entries.

    The cursor moves after the sending, so that a process that dies sends the same entries again. A destination that
    is away is tried again the next time.
    """
    destination = settings.AUDIT_FORWARD
    if not destination or not _claim(destination):
        return 0
    sent, until = 0, time.monotonic() + LONGEST
    try:
        send = sender(destination)
        while time.monotonic() < until and (batch := _next(destination)):
            taken = send(batch)
            Forwarded.objects.filter(destination=destination).update(sequence=batch[taken - 1].sequence)
            sent += taken
    except OSError as error:
        log.warning("audit_not_forwarded", reason=type(error).__name__)
    finally:
        Forwarded.objects.filter(destination=destination).update(held_until=None)
    return sent


def sender(destination: str) -> Send:
    """Return what sends entries to stdout or to a syslog server; raises ImproperlyConfigured, or OSError."""
    where = urlsplit(destination)
    if destination == "stdout":
        return _to_stdout
    if destination == "syslog":
        return _to_syslog(_Syslog("/dev/log"), DATAGRAM)
    if where.scheme == "syslog" and where.hostname:
        return _to_syslog(_Syslog(_resolved(where.hostname, where.port or SYSLOG_UDP_PORT)), DATAGRAM)
    if where.scheme == "syslog+tcp" and where.hostname:
        address = (where.hostname, where.port or 601)
        return _to_syslog(_Syslog(address, socktype=socket.SOCK_STREAM), None, end="\n")
    raise ImproperlyConfigured(
        f"CONSOLE_AUDIT_FORWARD must be stdout, syslog, syslog:// or syslog+tcp://, not {destination}"
    )


def _resolved(host: str, port: int) -> tuple[str, int]:
    """The first address of the server, looked up once: the standard library would for each datagram."""
    with within(CONNECT_SECONDS):
        found = give_up_in_time(socket.getaddrinfo, host, port, 0, socket.SOCK_DGRAM)
    return str(found[0][4][0]), port


def _claim(destination: str) -> bool:
    """Let one process send at a time, until it is done or has been silent for too long."""
    Forwarded.objects.get_or_create(destination=destination)
    free = Q(held_until=None) | Q(held_until__lt=Now())
    return bool(Forwarded.objects.filter(free, destination=destination).update(held_until=Now() + HELD))


def _next(destination: str) -> list[Entry]:
    cursor = Forwarded.objects.values_list("sequence", flat=True).get(destination=destination)
    return list(Entry.objects.filter(sequence__gt=cursor).order_by("sequence")[:BATCH_SIZE])


def _to_stdout(batch: Sequence[Entry]) -> int:
    stream = sys.__stdout__
    if stream is None:
        raise BrokenPipeError
    stream.writelines(map(json_line, batch))
    stream.flush()
    return len(batch)


class _Syslog(SysLogHandler):
    """The standard library's, but it raises when it fails, and does not wait indefinitely."""

    append_nul = False

    def createSocket(self) -> None:
        if self.socktype == socket.SOCK_STREAM and not isinstance(self.address, str):
            self.unixsocket = False
            with within(CONNECT_SECONDS):
                self.socket = connect(self.address[0], int(self.address[1]), timeout=ADDRESS_SECONDS)
        else:
            super().createSocket()
        self.socket.settimeout(LINE_SECONDS)

    def _connect_unixsocket(self, address: str) -> None:
        """Called by the class above for each new connection; a daemon that is stuck must not keep the worker."""
        with within(CONNECT_SECONDS):
            give_up_in_time(super()._connect_unixsocket, address)  # type: ignore[misc]  # the stubs leave it out
        self.socket.settimeout(LINE_SECONDS)

    def handleError(self, record: logging.LogRecord) -> None:
        raise  # noqa: PLE0704  called while an exception is handled


def _to_syslog(handler: _Syslog, limit: int | None, end: str = "") -> Send:
    handler.ident = "sluice-audit: "

    def send(batch: Sequence[Entry]) -> int:
        until = time.monotonic() + BATCH_SECONDS
        for number, entry in enumerate(batch):
            if number and time.monotonic() > until:
                return number
            line = _line(entry, limit) + end
            handler.emit(logging.LogRecord("sluice.audit", logging.INFO, "", 0, line, None, None))
        return len(batch)

    return send


def _line(entry: Entry, limit: int | None) -> str:
    """The entry as JSON; where it does not fit into a datagram, without its changes but with their number."""
    line = json_line(entry).rstrip("\n")
    if limit is None or len(line.encode()) <= limit:
        return line
    return json.dumps({**row(entry), "changes": [], "changes_left_out": len(entry.changes)}, ensure_ascii=False)
