"""`pods/log`: what a container printed, once or followed until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from console.sandbox import errors
from console.sandbox.calls import Call
from console.sandbox.logs import LogLine
from console.sandbox.resources import PODS
from console.sandbox.store import Object, Store

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
TEXT = "text/plain"


def log_response(store: Store, call: Call) -> Response:
    """The answer; raises StatusError 400 or 404."""
    pod = store.get(PODS, call.namespace, call.name)
    container = _chosen_container(pod, call.query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        return Response(status_code=204)  # no node, nobody to ask
    lines = _lines(store, call, pod, container)
    written, limit = _writer(call), call.number("limitBytes")
    if call.flag("follow") and not call.flag("previous"):
        after = store.logs.last_number()
        later = store.logs.follow(call.namespace, call.name, container, after)
        return StreamingResponse(_limited(_all(lines, later, written), limit), media_type=TEXT)
    content = "".join(map(written, lines)).encode()
    return PlainTextResponse(content[:limit])


def _lines(store: Store, call: Call, pod: Object, container: str) -> list[LogLine]:
    """What is there now, from `sinceSeconds` or `sinceTime` on, at most the last `tailLines`."""
    lines = store.logs.read(call.namespace, call.name, container, previous=call.flag("previous"))
    if lines is None:
        raise errors.bad_request(f'previous terminated container "{container}" in pod "{call.name}" not found')
    if not lines and (reason := _waiting_reason(pod, container)):
        message = f'container "{container}" in pod "{call.name}" is waiting to start: {reason}'
        raise errors.bad_request(message)
    earliest, tail = _earliest(call), call.number("tailLines")
    lines = [line for line in lines if line.at >= earliest]
    return lines if tail is None else lines[max(0, len(lines) - tail) :]


def _earliest(call: Call) -> str:
    seconds, time = call.number("sinceSeconds"), call.query.get("sinceTime", "")
    if seconds is not None and time:
        raise errors.bad_request("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if seconds is not None:
        return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime(STAMP)
    try:
        return datetime.fromisoformat(time).astimezone(UTC).strftime(STAMP) if time else ""
    except ValueError as error:
        raise errors.bad_request(f'invalid sinceTime "{time}": {error}') from error


def _writer(call: Call) -> Callable[[LogLine], str]:
    if call.flag("timestamps"):
        return lambda line: f"{line.at} {line.text}\n"
    return lambda line: f"{line.text}\n"


async def _all(
    lines: list[LogLine], later: AsyncIterator[LogLine], written: Callable[[LogLine], str]
) -> AsyncIterator[bytes]:
    for line in lines:
        yield written(line).encode()
    async for line in later:
        yield written(line).encode()


async def _limited(chunks: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[bytes]:
    left = limit
    async for chunk in chunks:
        yield chunk[:left]
        left = None if left is None else left - len(chunk)
        if left is not None and left <= 0:
            return


def _chosen_container(pod: Object, wanted: str) -> str:
    names = [container["name"] for container in pod["spec"]["containers"]]
    if not wanted and len(names) > 1:
        choices = " ".join(names)
        name = pod["metadata"]["name"]
        raise errors.bad_request(f"a container name must be specified for pod {name}, choose one of: [{choices}]")
    if wanted and wanted not in names:
        raise errors.bad_request(f"container {wanted} is not valid for pod {pod['metadata']['name']}")
    return wanted or names[0]


def _waiting_reason(pod: Object, container: str) -> str:
    for status in pod.get("status", {}).get("containerStatuses", ()):
        if status["name"] == container:
            return str(status.get("state", {}).get("waiting", {}).get("reason", ""))
    return "ContainerCreating"
