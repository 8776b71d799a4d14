"""The one task of a process that tells its viewers: an event is worked on once, whatever their number.

A step, one after another while anybody listens:

1. Read from the feed what was announced since the last step (and since what a new viewer's page shows).
2. Read the services that it is about, once; decide for each audience, not for each viewer, what it is told.
3. Give each viewer its piece; a new one gets what its page missed, or is told to look at itself again where that cannot
   be known, and then `hello`. Each piece ends with the position in the feed until which all was sent.

Viewers join and leave, and their rights are read again, between two steps only: so no announcement falls between two.
"""

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import ParamSpec, TypeVar

import structlog
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections

from console.access.authorization import Rights, rights_of
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.access.sessions import signed_in_user
from console.knative.references import ServiceRef
from console.mirror import feed
from console.mirror.announcements import RESYNC, Announcement, announcements
from console.mirror.feed import Excerpt, Position
from console.mirror.read import MirrorUnavailable
from console.web.live import frames
from console.web.live.calls import next_call
from console.web.live.lists import Lists
from console.web.live.parts import Parts
from console.web.live.surroundings import Surroundings
from console.web.live.viewers import Audience, PartAudience, Viewer
from console.web.topics import OF_ROWS, ListTopic, PartTopic, Topic

HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 25.0
MAX_RECHECKED = 20  # viewers in a step, some 1 ms each: those of a process that began with hundreds are due together
TICK_SECONDS = 1.0  # the longest time between two steps: a call that was lost is made up for
PAUSE_SECONDS = 0.02  # between two steps: many objects change at once
RETRY_PAUSE = 1.0  # seconds after a step that failed

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Plan:
    """What a step has to say, worked out in a thread."""

    end: Position
    of_topic: dict[Topic, bytes] = field(default_factory=dict)
    of_audience: dict[Audience, bytes] = field(default_factory=dict)
    of_part: dict[PartAudience, bytes] = field(default_factory=dict)
    of_viewer: dict[Viewer, bytes] = field(default_factory=dict)


class Hub:
    """The viewers of this process, and what they were told."""

    def __init__(self) -> None:
        self.viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self._joining: list[Viewer] = []
        self._calls: asyncio.Queue[Announcement] | None = None
        self._position: Position | None = None
        self._lists: Lists | None = None
        self._surroundings: Surroundings | None = None
        self._parts = Parts()
        self._step_number = 0
        self._is_paused = False

    @property
    def position(self) -> str:
        """Until where in the feed the viewers were told last; empty where that is not known."""
        return str(self._position or "")

    @asynccontextmanager
    async def joined(self, viewer: Viewer) -> AsyncIterator[None]:
        """Tell the viewer of everything as long as this lasts."""
        self.viewers.add(viewer)
        if self._task is None or self._task.done():
            self._begin()
            # A context of its own: that of the first viewer's request ends with it.
            self._task = asyncio.create_task(self._run(), context=contextvars.Context())
        self._joining.append(viewer)
        if self._calls is not None and not self._calls.full():
            self._calls.put_nowait(RESYNC)
        try:
            yield
        finally:
            self.viewers.discard(viewer)
            if not self.viewers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _run(self) -> None:
        try:
            async with announcements.listen() as self._calls:
                while True:
                    pause = await self._tried_step()
                    at_most = min(TICK_SECONDS, HEARTBEAT_SECONDS, self._seconds_to_next())
                    await next_call(self._calls, pause, at_most, self._is_awaited)
        except Exception:
            log.exception("live_hub_failed")
            for viewer in self.viewers:  # their browsers come back, and begin another
                viewer.end()

    async def _tried_step(self) -> float:
        """Take a step; returns how long to wait before the next."""
        try:
            await self._step()
        except (MirrorUnavailable, DatabaseError) as error:
            log.warning("live_step_failed", reason=type(error).__name__)
            self._position, self._lists, self._parts = None, None, Parts()  # what was read was told to nobody: all look
            self._pause()
            return RETRY_PAUSE
        self._is_paused = False
        return PAUSE_SECONDS

    def _is_awaited(self, call: Announcement) -> bool:
        """Whether it is news of an operation whose page somebody looks at."""
        return call.kind == "operation" and any(
            isinstance(topic, PartTopic) and topic.about == call.id
            for viewer in self.viewers
            for topic in viewer.topics
        )

    def _pause(self) -> None:
        """Let pages say that they are told of nothing at present; the next position that they get says otherwise."""
        if not self._is_paused:
            for viewer in self.viewers:
                viewer.send(frames.event("paused", ""))
        self._is_paused = True

    async def _step(self) -> None:
        await self._recheck()
        joining = [viewer for viewer in self._joining if viewer in self.viewers]
        settled = self.viewers - set(joining)
        plan = await sync_to_async(returning_connections)(self._plan, joining, settled)
        self._deliver(plan, settled & self.viewers)
        for viewer in joining:
            viewer.joined = self._step_number
            viewer.send(frames.RETRY + plan.of_viewer[viewer])
        self._joining = [viewer for viewer in self._joining if viewer.joined < 0]
        self._position = plan.end
        self._step_number += 1

    def _deliver(self, plan: Plan, viewers: Iterable[Viewer]) -> None:
        closing, shared = frames.position(plan.end), {}
        now = time.monotonic()
        for viewer in viewers:
            parts = (
                *(plan.of_audience[one] for one in viewer.audiences if one in plan.of_audience),
                *(plan.of_part[one] for one in viewer.parts if one in plan.of_part),
                *(plan.of_topic[one] for one in viewer.topics if one in plan.of_topic),
                plan.of_viewer.get(viewer, b""),
            )
            if any(parts):
                if parts not in shared:
                    shared[parts] = b"".join((*parts, closing))
                viewer.send(shared[parts])
            elif now - viewer.sent_at >= HEARTBEAT_SECONDS:
                viewer.send(closing)

    def _plan(self, joining: Sequence[Viewer], settled: Collection[Viewer]) -> Plan:
        """What everybody is told in this step; runs in a thread."""
        audiences = {one: viewer.rights for viewer in settled for one in viewer.audiences}
        around = self._look_around()  # before the feed is read: what it announces is heard in this step
        excerpt = self._excerpt(joining)
        plan = Plan(excerpt.end)
        is_known = self._position is not None and self._position.may_be_found(excerpt.end)
        all_differ = not is_known
        last = self._position.number if self._position and is_known else excerpt.end.number
        heard = [one for number, one in excerpt.entries if number > last]
        if any(one.kind == "surroundings" for one in heard):  # another process may have seen it first
            around = self._look_around(again=True)
        if self._lists or audiences or any(viewer.audiences for viewer in joining):
            self._lists = self._lists_now(around, excerpt.end, begin=all_differ)
        topics = {topic for viewer in settled for topic in viewer.topics}
        self._tell_topics(plan, heard, topics, all_differ=all_differ)
        self._parts.hear({one for one in topics if isinstance(one, PartTopic)}, heard, all_differ=all_differ)
        parts = {one: viewer.rights for viewer in settled for one in viewer.parts}
        plan.of_part = self._parts.told(parts, excerpt.end)
        if self._lists is not None:
            self._tell_lists(plan, self._lists, excerpt, heard, audiences, settled)
        behind = {
            part: viewer.rights for viewer in joining for part in viewer.parts if self._is_behind(viewer, part, excerpt)
        }
        whole = self._parts.whole(behind, excerpt.end)
        for viewer in joining:
            plan.of_viewer[viewer] = self._greeting(viewer, excerpt, whole)
        return plan

    def _look_around(self, *, again: bool = False) -> Surroundings:
        """Read what every page may show, `again` or when it is old, and announce it where it is other."""
        before = self._surroundings
        if before and not before.is_old and not again:
            return before
        now = Surroundings.read()
        now.announce_unless_known(before)
        self._surroundings = now
        return now

    def _lists_now(self, around: Surroundings, end: Position, *, begin: bool) -> Lists:
        """The services as viewers know them; begun again where something may have changed without being heard of."""
        if self._lists is None or begin:
            return Lists.begin(end, around)
        if self._lists.surroundings is not around:
            self._lists.surroundings = around
            self._lists.reread_operations()
        return self._lists

    def _excerpt(self, joining: Collection[Viewer]) -> Excerpt:
        """What was announced since the last step and since what the new pages show, as far as it can be known."""
        if not joining and self._position and (found := feed.after(self._position)):
            return found
        end = feed.end()
        known = [self._position, *(since for viewer in joining for since in viewer.since.values())]
        numbers = [one.number for one in known if one and one.may_be_found(end)]
        return feed.after(Position(end.epoch, min(numbers, default=end.number))) or Excerpt(end, ())

    def _tell_topics(
        self, plan: Plan, heard: Sequence[Announcement], topics: Iterable[Topic], *, all_differ: bool
    ) -> None:
        for topic in topics:
            if isinstance(topic, PartTopic):
                continue
            of_rows = isinstance(topic, ListTopic)
            if all_differ or any(_is_about_all(one) if of_rows else topic.concerns(one) for one in heard):
                plan.of_topic[topic] = frames.event("changed", topic.text)

    def _tell_lists(
        self,
        plan: Plan,
        lists: Lists,
        excerpt: Excerpt,
        heard: Sequence[Announcement],
        audiences: Mapping[Audience, Rights],
        settled: Iterable[Viewer],
    ) -> None:
        if any(_is_about_all(one) for one in heard):
            self._lists = lists = Lists.begin(excerpt.end, lists.surroundings)
        if any(one.kind == "operation" for one in heard):
            lists.reread_operations()
        refs = list(dict.fromkeys(ref for _, one in excerpt.entries if (ref := _ref_of(one))))
        if not refs:
            return
        changes = lists.advance(refs, self._step_number, excerpt.end.number)
        other = [change for change in changes if not change.is_equal]
        for audience, rights in audiences.items() if other else ():
            plan.of_audience[audience] = lists.told(audience.topic, rights, other, excerpt.end)
        equal = {change.ref for change in changes if change.is_equal}
        late = [ref for one in heard if (ref := _ref_of(one)) in equal and self._may_be_late(lists, one, ref)]
        for viewer in settled if late else ():
            plan.of_viewer[viewer] = self._late(lists, viewer, late, excerpt.end)

    def _may_be_late(self, lists: Lists, announcement: Announcement, ref: ServiceRef) -> bool:
        """Whether the row was read before it was announced, so that who came in between has not got it.

        What is in the mirror was announced by the next step; of an operation the database knows earlier.
        """
        return announcement.kind == "operation" or lists.read_in[ref] >= self._step_number - 1

    def _late(self, lists: Lists, viewer: Viewer, refs: Iterable[ServiceRef], end: Position) -> bytes:
        wanted = [ref for ref in refs if viewer.joined >= lists.read_in[ref] and ref not in viewer.caught_up]
        if not wanted:
            return b""
        pieces = (lists.missed(one.topic, viewer.rights, wanted, end.number, end)[0] for one in viewer.audiences)
        return b"".join(pieces)

    def _is_behind(self, viewer: Viewer, part: PartAudience, excerpt: Excerpt) -> bool:
        """Whether the part may have changed since the page was made."""
        since = viewer.since[part.topic]
        if since is None or not since.may_be_found(excerpt.end):
            return True
        return any(number > since.number and part.topic.concerns(one) for number, one in excerpt.entries)

    def _greeting(self, viewer: Viewer, excerpt: Excerpt, whole: Mapping[PartAudience, bytes]) -> bytes:
        """What the pages of a new viewer missed, then `hello` for each of its topics."""
        viewer.caught_up = frozenset()
        pieces = [frames.event("gone", topic) for topic in viewer.gone]
        pieces += [whole[part] for part in viewer.parts if part in whole and self._is_behind(viewer, part, excerpt)]
        for topic, since in viewer.since.items():
            if not isinstance(topic, PartTopic):
                pieces.append(self._missed(viewer, topic, since, excerpt))
        greetings = (frames.event("hello", topic.text) for topic in viewer.since)
        return b"".join((*pieces, *greetings, frames.position(excerpt.end)))

    def _missed(self, viewer: Viewer, topic: Topic, since: Position | None, excerpt: Excerpt) -> bytes:
        if since is None or not since.may_be_found(excerpt.end):
            return frames.event("changed", topic.text)
        gap = [one for number, one in excerpt.entries if number > since.number and topic.concerns(one)]
        if not isinstance(topic, ListTopic) or self._lists is None or any(_is_about_all(one) for one in gap):
            return frames.event("changed", topic.text) if gap else b""
        refs = list(dict.fromkeys(ref for one in gap if (ref := _ref_of(one))))
        piece, sent = self._lists.missed(topic, viewer.rights, refs, since.number, excerpt.end)
        viewer.caught_up |= sent
        return piece

    async def _recheck(self) -> None:
        """Read session and rights of those again whose turn it is; what a person may no longer see is gone."""
        due = sorted(self._due(), key=attrgetter("checked_at"))[:MAX_RECHECKED]
        if not due:
            return
        for viewer, found in (await sync_to_async(returning_connections)(_rights_now, due)).items():
            viewer.checked_at = time.monotonic()
            if found is None or not found[1]:
                viewer.end()
            else:
                _restrict(viewer, *found)

    def _due(self) -> list[Viewer]:
        """The viewers whose session and rights were not read for so long."""
        until = time.monotonic() - RECHECK_SECONDS
        return [viewer for viewer in self.viewers if viewer.checked_at <= until]

    def _seconds_to_next(self) -> float:
        return 0.0 if self._due() else self._parts.seconds_to_next()


def returning_connections(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do the work, and give back the connections to the database that it opened.

    The thread outlives every request: one that the database has closed meanwhile would be used again and again.
    """
    try:
        return work(*args, **kwargs)
    finally:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:  # of a caller that waits in this thread
                connection.close()


def _restrict(viewer: Viewer, rights: Rights, topics: set[Topic]) -> None:
    before: set[Audience | PartAudience] = {*viewer.audiences, *viewer.parts}
    pieces = [frames.event("gone", topic.text) for topic in viewer.topics - topics]
    viewer.set_rights(rights, topics)
    now: tuple[Audience | PartAudience, ...] = (*viewer.audiences, *viewer.parts)
    pieces += [frames.event("changed", one.topic.text) for one in now if one not in before]
    if pieces:
        viewer.send(b"".join(pieces))


def _rights_now(viewers: Iterable[Viewer]) -> dict[Viewer, tuple[Rights, set[Topic]] | None]:
    """Rights and topics of each viewer; None when the session is over, or cannot be read."""
    found: dict[Viewer, tuple[Rights, set[Topic]] | None] = {}
    for viewer in viewers:
        try:
            user = signed_in_user(viewer.session)
            found[viewer] = _still_heard(rights_of(user), viewer.topics) if user else None
        except (DatabaseError, MirrorUnavailable) as error:
            log.warning("live_rights_not_read", reason=type(error).__name__)
            found[viewer] = None
    return found


def _still_heard(rights: Rights, topics: Iterable[Topic]) -> tuple[Rights, set[Topic]]:
    return rights, {topic for topic in topics if may_hear(rights, topic)}


def may_hear(rights: Rights, topic: Topic) -> bool:
    return topic.subject is None or rights.allows(Permission.VIEW, topic.subject, labels_of(topic.subject))


def _is_about_all(announcement: Announcement) -> bool:
    """A list of all services or revisions of a cluster was read again; which of them changed is not known."""
    return announcement.is_for_all or (announcement.kind in OF_ROWS and not announcement.name)


def _ref_of(announcement: Announcement) -> ServiceRef | None:
    if announcement.kind not in OF_ROWS or not announcement.name:
        return None
    return ServiceRef(announcement.cluster, announcement.namespace, announcement.name)


hub = Hub()
