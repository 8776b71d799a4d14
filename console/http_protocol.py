"""HTTP/1.1 by llhttp, as uvicorn runs it, with limits on what clients may leave undone."""

import asyncio
import fcntl
import sys
import termios

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024  # bytes; h11, uvicorn's parser in Python, has the same limit
STALLED_SECONDS = 60.0  # in which a browser takes nothing of what waits for it


class LimitedHttp(HttpToolsProtocol):
    """Refuses a request whose line and headers, or whose chunk extensions and trailers, do not end.

    What is neither a body (console.body_limit counts those) nor completes a request is kept in memory until it does.
    Cuts the connection of who takes nothing of an answer: an event stream could not even end before all that waits in
    front of its end is taken, and would hold a task and up to 4 MB of the kernel's memory until then.
    """

    _unfinished = 0  # bytes since the last that was body or completed a request
    _stalled: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's headers are too large.")

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_taken()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._is_taken()

    def _await_taking(self) -> None:
        self._stalled = self.loop.call_later(STALLED_SECONDS, self._cut_unless_taken, self._waiting())

    def _cut_unless_taken(self, before: int) -> None:
        """End the connection of who took nothing of what waited; one that is slow is kept."""
        if self._waiting() < before:
            self._await_taking()
        else:
            self.transport.abort()

    def _waiting(self) -> int:
        """How many bytes wait for the browser, here and in the kernel.

        The kernel keeps up to 4 MB for it and takes more of ours only when a third of them is gone: who takes less than
        20 kB/s would look as if they took nothing.
        """
        ours: int = self.transport.get_write_buffer_size()
        try:
            of_kernel = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):  # a system that does not tell; a socket that is closed
            return ours
        return ours + int.from_bytes(of_kernel, sys.byteorder)

    def _is_taken(self) -> None:
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None
