"""The event stream: sends a page the rows that changed, or tells it to look at itself again; see console.web.live.

What is sent was made for the rights of the person. Session and rights are read again every 25 s; the stream ends when
the session is over, when the person may no longer see anything of it, and when the process stops. One browser holds
one stream, whatever the number of its pages: static/js/live.js. A stream holds neither a thread nor a connection
to the database; a process gives a session and a person so many.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from itertools import zip_longest
from types import FrameType
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound, StreamingHttpResponse
from django.utils.translation import gettext as _

from console.access.authorization import Rights, rights_of
from console.access.decorators import mark_signed_in
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.mirror.feed import Position
from console.operations.lookups import cluster_rights
from console.web.live.hub import hub, may_hear
from console.web.live.viewers import Viewer
from console.web.parts.registry import PARTS, Refused
from console.web.topics import PartTopic, Topic, parsed

MAX_TOPICS = 60  # pages of one browser; an address of this many fits into 16 kB
# In all processes that share a socket. A browser holds one stream, two while it asks for more topics.
MAX_OF_SESSION = 12
MAX_OF_PERSON = 40
RETRY_AFTER = 60  # seconds


@mark_signed_in
async def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Server-sent events about the topics that the address names (console.web.topics), in the order of `topic`s each
    with the position in the feed that its page shows (`since`); a browser that connects again names its last one.

    One stream serves all the pages of a browser: the first line of each event's data is the topic that it is about. A
    topic that the person may not subscribe to is answered by a `gone` event; when all are of that kind, with 404. 429
    when the session or the person has enough of them: the pages then look for themselves every half minute.
    """
    user = cast(User, await request.auser())  # signed in: the middleware has seen to it
    topics = request.GET.getlist("topic") or ["services"]
    if len(topics) > MAX_TOPICS:
        raise SuspiciousOperation("too many topics for one stream")
    session = str(request.session.session_key)
    if _has_enough(user.pk, session):
        return _too_many()
    since = request.headers.get("Last-Event-ID", "")
    viewer = await sync_to_async(_viewer)(user, session, topics, request.GET.getlist("since"), since)
    if not viewer.topics:  # in words: nobody sees it as a page, and a page would cost more than the stream
        return HttpResponseNotFound(_("Page not found, or you don't have access to it."), "text/plain; charset=utf-8")
    response = StreamingHttpResponse(_events(viewer), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _viewer(user: User, session: str, topics: Sequence[str], positions: Sequence[str], last: str) -> Viewer:
    """Those of the topics that exist and that the person may hear, each with what its page shows already."""
    rights, since, gone = rights_of(user), {}, []
    for text, position in zip_longest(topics, positions[: len(topics)], fillvalue=""):
        topic = _topic(text)
        if topic and may_hear(rights, topic):
            since[topic] = Position.parsed(last or position)
        elif text.isprintable():
            gone.append(text)
    return Viewer(user.pk, session, rights, since, gone, _refused(user, rights, since))


def _refused(user: User, rights: Rights, topics: Iterable[Topic]) -> Refused:
    """What clusters would refuse the person of the services whose pages they look at, as those pages show it."""
    parts = (topic for topic in topics if isinstance(topic, PartTopic))
    refs = {part.subject for part in parts if part.subject and PARTS[part.name].shows_refusals}
    changing = [ref for ref in refs if rights.on(ref, labels_of(ref)) - {Permission.VIEW}]
    return {ref: frozenset(cluster_rights.refused(ref, user).items()) for ref in changing}


def _topic(text: str) -> Topic | None:
    try:
        return parsed(text)
    except Http404:
        return None


def _has_enough(person: int, session: str) -> bool:
    of_person = [viewer.session for viewer in hub.viewers if viewer.person == person]
    return len(of_person) >= _share(MAX_OF_PERSON) or of_person.count(session) >= _share(MAX_OF_SESSION)


def _share(maximum: int) -> int:
    """What this process may have of a number that is meant for all that share its socket."""
    share: int = maximum // settings.WEB_PROCESSES
    return max(1, share)


def _too_many() -> HttpResponse:
    text = _("Too many live connections. Pages update every 30 seconds instead; close some tabs for live updates.")
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    return HttpResponse(text, "text/plain; charset=utf-8", status=429, headers=headers)


async def _events(viewer: Viewer) -> AsyncIterator[bytes]:
    _end_on_signal()
    if _has_enough(viewer.person, viewer.session):  # others of theirs began since the request was admitted
        yield f"retry: {1000 * RETRY_AFTER}\n\n".encode()
        return
    async with hub.joined(viewer):
        while piece := await viewer.next():
            yield piece


def count() -> int:
    """Return how many streams are open in this process."""
    return len(hub.viewers)


def end_all() -> None:
    """End every stream of this process; browsers come back by themselves when it is there again."""
    for viewer in hub.viewers:
        viewer.end()


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
