"""The event stream: notifies a page that what it shows has changed; the page then reloads it.

An event carries no more than the topic that the page asked about, so it can leak nothing. Session and rights are read
again every 25 s; the stream ends when the session is over, when the person may no longer see anything that it is about,
and when the process stops. One browser holds one stream, whatever the number of its pages: static/js/live.js.
A stream holds neither a thread nor a connection to the database; a process gives a session and a person so many.
"""

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from types import FrameType
from typing import Any, NamedTuple, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound, StreamingHttpResponse
from django.utils.translation import gettext as _

from console.access.authorization import Rights, rights_of
from console.access.decorators import mark_signed_in
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.access.sessions import signed_in_user
from console.knative.references import ServiceRef
from console.mirror.announcements import Announcement, announcements
from console.operations.models import Operation
from console.request_tests.models import AccessTest

HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 25.0
MAX_TOPICS = 60  # pages of one browser; an address of this many fits into 16 kB
COALESCE_SECONDS = 0.05  # many objects change at once: one event is enough
# In one process. A browser holds one stream, two while it asks for more topics; one a page without shared workers.
MAX_OF_SESSION = 12
MAX_OF_PERSON = 40
RETRY_AFTER = 60  # seconds
END = Announcement("end")


class Listener(NamedTuple):
    """Who holds a stream."""

    person: int
    session: str


_open: dict[asyncio.Queue[Announcement], Listener] = {}


@mark_signed_in
async def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Server-sent events about the topics that the address names: `services`, `service:<cluster>/<namespace>/<name>`,
    `operation:<id>`, `access-test:<id>`.

    One stream serves all the pages of a browser: each event's data is the topic that it is about. A topic that the
    person may not subscribe to is answered by a `gone` event; when all are of that kind, with 404. 429 when the session
    or the person has enough of them: the pages then look for themselves every half minute.
    """
    user = cast(User, await request.auser())  # signed in: the middleware has seen to it
    topics = list(dict.fromkeys(request.GET.getlist("topic"))) or ["services"]
    if len(topics) > MAX_TOPICS:
        raise SuspiciousOperation("too many topics for one stream")
    listener = Listener(user.pk, str(request.session.session_key))
    if _has_enough(listener):
        return _too_many()
    allowed = await sync_to_async(_allowed)(user, topics)
    if not allowed:  # in words: nobody sees it as a page, and a page would cost more than the stream
        return HttpResponseNotFound(_("Page not found, or you don't have access to it."), "text/plain; charset=utf-8")
    gone = [topic for topic in topics if topic not in allowed and topic.isprintable()]
    response = StreamingHttpResponse(_events(listener, allowed, gone), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _has_enough(listener: Listener) -> bool:
    of_person = [other.session for other in _open.values() if other.person == listener.person]
    return len(of_person) >= MAX_OF_PERSON or of_person.count(listener.session) >= MAX_OF_SESSION


def _too_many() -> HttpResponse:
    text = _("Too many live connections. Pages update every 30 seconds instead; close some tabs for live updates.")
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    return HttpResponse(text, "text/plain; charset=utf-8", status=429, headers=headers)


async def _events(listener: Listener, topics: dict[str, ServiceRef | None], gone: list[str]) -> AsyncIterator[bytes]:
    _end_on_signal()
    if _has_enough(listener):  # others of theirs began since the request was admitted
        yield f"retry: {1000 * RETRY_AFTER}\n\n".encode()
        return
    async with announcements.listen() as queue, _listed(queue, listener):
        yield b"retry: 2000\n" + b"".join(_event("hello", topic) for topic in topics)
        checked = time.monotonic()
        while True:
            if gone:
                yield b"".join(_event("gone", topic) for topic in gone)
                gone = []
            until_check = max(0.0, RECHECK_SECONDS - (time.monotonic() - checked))
            try:
                # Not asyncio.wait_for: before Python 3.12 it answers in place of a cancellation (CPython issue 86296),
                # and the stream would not end for a browser that has left.
                async with asyncio.timeout(min(HEARTBEAT_SECONDS, until_check)):
                    heard = [await queue.get()]
                if _concerned(heard, topics):
                    await asyncio.sleep(COALESCE_SECONDS)
                    heard += _emptied(queue)
                if END in heard:
                    return
                if concerned := _concerned(heard, topics):
                    yield b"".join(_event("changed", topic) for topic in concerned)
            except TimeoutError:
                yield b": still here\n\n"
            if time.monotonic() - checked >= RECHECK_SECONDS:
                still = await sync_to_async(_still_allowed)(listener.session, topics)
                gone = [topic for topic in topics if topic not in still]
                topics = still
                if not topics:
                    return
                checked = time.monotonic()


def _event(name: str, topic: str) -> bytes:
    return f"event: {name}\ndata: {topic}\n\n".encode()


def topic_of(thing: ServiceRef | Operation | AccessTest) -> str:
    """Return the topic of a page that is about this."""
    if isinstance(thing, ServiceRef):
        return f"service:{thing}"
    return f"{'operation' if isinstance(thing, Operation) else 'access-test'}:{thing.id}"


def count() -> int:
    """Return how many streams are open in this process."""
    return len(_open)


def end_all() -> None:
    """End every stream of this process; browsers come back by themselves when it is there again."""
    for queue in _open:
        _emptied(queue)
        queue.put_nowait(END)


@asynccontextmanager
async def _listed(queue: asyncio.Queue[Announcement], listener: Listener) -> AsyncIterator[None]:
    _open[queue] = listener
    try:
        yield
    finally:
        del _open[queue]


def _emptied(queue: asyncio.Queue[Announcement]) -> list[Announcement]:
    found = []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found


@cache
def _end_on_signal() -> None:
    """End the streams when the process gets the signal to stop: the server would wait for them to its last second."""
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


def _concerned(heard: Iterable[Announcement], topics: Mapping[str, ServiceRef | None]) -> list[str]:
    """The topics that any of the announcements is about."""
    found = list(heard)
    return [topic for topic, subject in topics.items() if any(_concerns(one, topic, subject) for one in found)]


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


def _allowed(user: User, topics: Iterable[str]) -> dict[str, ServiceRef | None]:
    """Those of the topics that exist and that the person may hear, each with the service that it is about."""
    rights = rights_of(user)
    found: dict[str, ServiceRef | None] = {}
    for topic in topics:
        try:
            subject = _subject(topic)
        except Http404:
            continue
        if _may_hear(rights, subject):
            found[topic] = subject
    return found


def _may_hear(rights: Rights, subject: ServiceRef | None) -> bool:
    return subject is None or rights.allows(Permission.VIEW, subject, labels_of(subject))


def _subject(topic: str) -> ServiceRef | None:
    """The service that the topic is about, None for all of them; raises Http404 for text that is not a topic."""
    kind, _, rest = topic.partition(":")
    if not topic.isprintable():  # it is repeated in the stream, line by line
        raise Http404
    if topic == "services":
        return None
    if kind == "service" and rest.count("/") == 2:
        return ServiceRef(*rest.split("/"))
    if kind in ("operation", "access-test"):
        return _subject_of(Operation if kind == "operation" else AccessTest, rest)
    raise Http404


def _subject_of(model: type[Operation] | type[AccessTest], text: str) -> ServiceRef:
    try:
        thing = model.objects.filter(id=UUID(text)).first()
    except ValueError as error:
        raise Http404 from error
    if thing is None:
        raise Http404
    return thing.ref


def _still_allowed(session: str, topics: Mapping[str, ServiceRef | None]) -> dict[str, ServiceRef | None]:
    """The topics that the person may still hear; none when the session is over."""
    user = signed_in_user(session)
    if user is None:
        return {}
    rights = rights_of(user)
    return {topic: subject for topic, subject in topics.items() if _may_hear(rights, subject)}
