"""What the programs in the images do: their log lines and their answers to requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.sandbox.knative.registry import Image

QUEUE_PROXY_LINE = (
    '{"severity":"INFO","logger":"queueproxy","message":"Starting queue-proxy","knative.dev/pod":"","commit":"sandbox"}'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer's status, body and content type."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


def starting_lines(image: Image) -> list[str]:
    """What a container logs before it is ready."""
    if image.kind == "helloworld-go":
        return ["helloworld: starting server...", "helloworld: listening on port 8080"]
    if image.kind == "helloworld-rust":
        return ["Listening on http://0.0.0.0:8080"]
    return [f"{image.name}: version {image.tag}", f"{image.name}: listening on port 8080"]


def request_line(image: Image, method: str, path: str) -> str:
    """What a container logs about a request."""
    if image.kind == "helloworld-go":
        return "helloworld: received a request"
    return f"{image.name}: {method} {path}"


NO_SUCH_HOST = "dial tcp: lookup orders-db on 10.96.0.10:53: no such host"


def crash_lines(now: datetime, settings: Sequence[str] = ()) -> list[str]:
    """What a crashing container logs; the last line says why: it blames its settings, where it is given any."""
    why = f"cannot start with {' '.join(settings)}" if settings else NO_SUCH_HOST
    stamp = now.strftime("%Y/%m/%d %H:%M:%S")
    return [
        f"{stamp} reading configuration",
        f"{stamp} connecting to postgres://orders@orders-db:5432/orders",
        "goroutine 1 [running]:",
        "main.mustConnect(...)",
        "\t/src/main.go:41",
        "main.main()",
        "\t/src/main.go:18 +0x1d4",
        f"panic: {why}",
    ]


def answer(image: Image, environment: dict[str, str], path: str) -> Answer:
    """What the program answers; TARGET is read as the helloworld samples read it."""
    target = environment.get("TARGET") or "World"
    if image.kind == "helloworld-rust":
        return Answer(200, f"Hello world: {target}")
    if image.kind in ("helloworld-go", "helloworld"):
        return Answer(200, f"Hello {target}!\n")
    return Answer(200, f"{image.name} {image.tag} answers {path}\n")
