"""HTTP/1.1 by llhttp, as uvicorn runs it, with limits on what clients may leave undone."""

import asyncio

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
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_taken()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._is_taken()

    def _is_taken(self) -> None:
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None
