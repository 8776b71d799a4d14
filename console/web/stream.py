"""The event stream: tells a page that what it shows has changed; the page then asks again for itself.

An event carries no data, so it can leak none. Session and rights are read anew every 25 s; the stream ends when the
session is over, when the person may no longer see what it is about, and when the process stops.
"""

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from types import FrameType
from typing import Any, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import Http404, HttpRequest, StreamingHttpResponse

from console.access.authorization import Rights, rights_of
from console.access.decorators import mark_signed_in
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.sessions import signed_in_user
from console.knative.references import ServiceRef
from console.mirror.announcements import Announcement, announcements
from console.operations.models import AccessTest, Operation

HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 25.0
COALESCE_SECONDS = 0.05  # many objects change at once: one event is enough
END = Announcement("end")

_open: set[asyncio.Queue[Announcement]] = set()


@mark_signed_in
async def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Server-sent events about one topic: `services`, `service:<cluster>/<namespace>/<name>`, `operation:<id>`,
    `access-test:<id>`."""
    user = cast(User, await request.auser())  # signed in: the middleware has seen to it
    topic = request.GET.get("topic", "services")
    subject = await sync_to_async(_subject)(user, topic)
    session = str(request.session.session_key)
    response = StreamingHttpResponse(_events(session, topic, subject), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _events(session: str, topic: str, subject: ServiceRef | None) -> AsyncIterator[bytes]:
    _end_on_signal()
    async with announcements.listen() as queue, _listed(queue):
        yield b"retry: 2000\nevent: hello\ndata:\n\n"
        checked = time.monotonic()
        while True:
            until_check = max(0.0, RECHECK_SECONDS - (time.monotonic() - checked))
            try:
                announcement = await asyncio.wait_for(queue.get(), min(HEARTBEAT_SECONDS, until_check))
                if announcement is END:
                    return
                concerns = _concerns(announcement, topic, subject)
                if concerns:
                    await asyncio.sleep(COALESCE_SECONDS)
                    if END in _emptied(queue):
                        return
                    yield b"event: changed\ndata:\n\n"
            except TimeoutError:
                yield b": still here\n\n"
            if time.monotonic() - checked >= RECHECK_SECONDS:
                if not await sync_to_async(_may_go_on)(session, subject):
                    return
                checked = time.monotonic()


def count() -> int:
    """Return how many streams are open in this process."""
    return len(_open)


def end_all() -> None:
    """End every stream of this process; browsers come back by themselves when it is there again."""
    for queue in _open:
        _emptied(queue)
        queue.put_nowait(END)


@asynccontextmanager
async def _listed(queue: asyncio.Queue[Announcement]) -> AsyncIterator[None]:
    _open.add(queue)
    try:
        yield
    finally:
        _open.discard(queue)


def _emptied(queue: asyncio.Queue[Announcement]) -> list[Announcement]:
    found = []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found


@cache
def _end_on_signal() -> None:
    """End the streams when the process is told to stop: the server would wait for them to its last second."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def end(got: int, frame: FrameType | None, before: Any = before) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(end_all)
            if callable(before):
                before(got, frame)

        signal.signal(number, end)


def _concerns(announcement: Announcement, topic: str, subject: ServiceRef | None) -> bool:
    kind, _, rest = topic.partition(":")
    if announcement.kind == "resync":
        return True
    if kind in ("operation", "access-test"):
        return announcement.id == rest and announcement.kind == kind
    if subject is None:
        return announcement.kind in ("services", "operation")
    there = (announcement.cluster, announcement.namespace, announcement.name)
    return there in ((subject.cluster, subject.namespace, subject.name), (subject.cluster, "", ""))


def _subject(user: User, topic: str) -> ServiceRef | None:
    """The service that the topic is about; raises Http404 when the person may not see it."""
    kind, _, rest = topic.partition(":")
    if kind == "services":
        return None
    if kind == "service" and rest.count("/") == 2:
        subject = ServiceRef(*rest.split("/"))
    elif kind in ("operation", "access-test"):
        subject = _subject_of(Operation if kind == "operation" else AccessTest, rest)
    else:
        raise Http404
    if not rights_of(user).allows(Permission.VIEW, subject, labels_of(subject)):
        raise Http404
    close_old_connections()
    return subject


def _subject_of(model: type[Operation] | type[AccessTest], text: str) -> ServiceRef:
    try:
        thing = model.objects.filter(id=UUID(text)).first()
    except ValueError as error:
        raise Http404 from error
    if thing is None:
        raise Http404
    return thing.ref


def _may_go_on(session: str, subject: ServiceRef | None) -> bool:
    user = signed_in_user(session)
    if user is None:
        return False
    rights: Rights = rights_of(user)
    close_old_connections()
    return subject is None or rights.allows(Permission.VIEW, subject, labels_of(subject))
