"""HTTP/1.1 by llhttp, as uvicorn runs it, with a limit on what llhttp does not limit."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024  # bytes; h11, uvicorn's parser in Python, has the same limit


class LimitedHttp(HttpToolsProtocol):
    """Refuses a request whose line and headers, or whose chunk extensions and trailers, do not end.

    What is neither a body (console.body_limit counts those) nor completes a request is kept in memory until it does.
    """

    _unfinished = 0  # bytes since the last that was body or completed a request

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
