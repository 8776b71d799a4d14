"""What the API server asks a kubelet for: the logs of containers, over TLS."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from console.sandbox.certificate import make_certificate

if TYPE_CHECKING:
    from tests.real_cluster.kubelet.node import Node


class LogServer:
    """Answers /containerLogs/<namespace>/<pod>/<container> with tailLines, limitBytes and previous; does not follow."""

    def __init__(self, node: Node, address: str, folder: Path) -> None:
        self._node = node
        place = folder / "kubelet"
        place.mkdir()
        certificate = make_certificate(place, address)
        self._server = ThreadingHTTPServer((address, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="kubelet logs", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, bytes]:
        """Return (status, body) for a request of the API server."""
        address = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        parts = address.path.strip("/").split("/")
        found = self._node.container(*parts[1:]) if len(parts) == 4 and parts[0] == "containerLogs" else None
        log = found.log(previous=query.get("previous") == "true") if found else None
        if log is None or not log.exists():
            return 404, b"there is no such log\n"
        text = log.read_bytes()
        if "tailLines" in query:
            text = b"".join(text.splitlines(keepends=True)[-int(query["tailLines"]) :])
        return 200, text[: int(query.get("limitBytes", len(text)))]

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            timeout = 20

            def do_GET(self) -> None:
                status, body = server.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Quiet: the tests read answers, not logs."""

        return Handler
