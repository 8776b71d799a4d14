"""The program in a sample's container, told by the image's name: helloworld-go, helloworld-rust, slow-answer, crash.

Takes TARGET and PORT from its environment, as the samples do. Without PORT it is a sidecar, and only lives.
"""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW_SECONDS = 1


def greeting(image: str, target: str) -> str:
    return f"Hello world: {target}" if "rust" in image else f"Hello {target}!\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if "slow-answer" in sys.argv[1]:
            time.sleep(SLOW_SECONDS)
        body = greeting(sys.argv[1], os.environ.get("TARGET") or "World").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """The samples log nothing for each request."""


def main(image: str) -> None:
    print(f"{image.rpartition('/')[2]}: starting", flush=True)
    if "crash" in image:
        sys.exit("panic: no database at db.internal:5432")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if port := os.environ.get("PORT"):
        server = ThreadingHTTPServer(("", int(port)), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()


if __name__ == "__main__":
    main(sys.argv[1])
