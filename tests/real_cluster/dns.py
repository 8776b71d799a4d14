"""Cluster DNS in few lines: every name under cluster.local has the node's address, and no other name exists."""

from __future__ import annotations

import socketserver
import struct
import threading
from pathlib import Path

ZONE = ".cluster.local"
_A, _CLASS_IN = 1, 1
_ANSWER, _NO_SUCH_NAME = 0x8400, 0x8403  # authoritative
_SECONDS = 5


class ClusterDns:
    """A server on UDP port 53 of the node's address; `resolv_conf` is for the programs that shall ask it."""

    def __init__(self, address: str, folder: Path) -> None:
        self.resolv_conf = folder / "resolv.conf"
        self.resolv_conf.write_text(f"nameserver {address}\n")
        self._address = bytes(map(int, address.split(".")))
        self._server = socketserver.ThreadingUDPServer((address, 53), self._handler())
        threading.Thread(target=self._server.serve_forever, name="DNS", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def inside(self, command: list[str]) -> list[str]:
        """Return the command that runs `command` with this server as its only resolver."""
        bind = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", bind, str(self.resolv_conf), *command]

    def answer(self, query: bytes) -> bytes:
        """Return the answer to a query with one question."""
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode())
            at += 1 + length
        kind = struct.unpack_from("!H", query, at + 1)[0]
        question = query[12 : at + 5]
        is_known = f".{'.'.join(labels)}".lower().endswith(ZONE)
        has_answer = is_known and kind == _A
        flags = _ANSWER if is_known else _NO_SUCH_NAME
        head = query[:2] + struct.pack("!HHHHH", flags, 1, int(has_answer), 0, 0)
        # 0xC00C points to the name in the question
        record = struct.pack("!HHHIH", 0xC00C, _A, _CLASS_IN, _SECONDS, 4) + self._address
        return head + question + (record if has_answer else b"")

    def _handler(server) -> type[socketserver.BaseRequestHandler]:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                query, reply_to = self.request
                reply_to.sendto(server.answer(query), self.client_address)

        return Handler
