"""Who listens: a viewer for each open stream, with what it is about and what waits to be sent to it."""

import asyncio
import time
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror.feed import Position
from console.web.parts.registry import PARTS, Refused, Whose
from console.web.rows import may_pick
from console.web.topics import ListTopic, PartTopic, Topic

QUEUE = 64  # pieces that wait for a browser; one that takes no more is dropped, and comes back for what it missed


class Audience(NamedTuple):
    """People who see the same of a list: the same services, the same page of it, with or without boxes to pick them."""

    topic: ListTopic
    sight: Hashable
    may_pick: bool


class PartAudience(NamedTuple):
    """People who may do the same, and so see the same of a live part. `refused`: what its cluster would refuse them.

    `person`: of a part in which it counts who somebody is (nobody decides on a change of their own); else 0.
    """

    topic: PartTopic
    rights: Hashable
    refused: frozenset[tuple[Permission, str]]
    person: int = 0

    def with_rights(self, rights: Rights) -> Whose:
        return Whose(rights, {self.topic.subject: self.refused} if self.topic.subject else {}, self.person)


@dataclass(eq=False)
class Viewer:
    """A stream. `since`: for each topic, what the page shows already; None: nothing is known of it.

    `refused`: what the clusters would refuse the person, as it was when the stream began.
    """

    person: int
    session: str
    rights: Rights
    since: Mapping[Topic, Position | None]
    gone: list[str] = field(default_factory=list)  # topics that do not exist for this person; told once
    refused: Refused = field(default_factory=dict)
    joined: int = -1  # the step of the hub in which it was greeted
    caught_up: frozenset[ServiceRef] = frozenset()  # rows that it was sent in that step
    checked_at: float = field(default_factory=time.monotonic)
    sent_at: float = field(default_factory=time.monotonic)
    topics: set[Topic] = field(init=False)
    audiences: list[Audience] = field(init=False, default_factory=list)
    parts: list[PartAudience] = field(init=False, default_factory=list)
    _queue: asyncio.Queue[bytes] = field(init=False)
    is_over: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.topics = set(self.since)
        self._queue = asyncio.Queue(QUEUE)
        self.set_rights(self.rights, self.topics)

    def set_rights(self, rights: Rights, topics: Collection[Topic]) -> None:
        self.rights, self.topics = rights, set(topics)
        facts = rights.sight, may_pick(rights)
        self.audiences = [Audience(topic, *facts) for topic in topics if isinstance(topic, ListTopic)]
        self.parts = [self._audience(topic) for topic in topics if isinstance(topic, PartTopic)]

    def _audience(self, topic: PartTopic) -> PartAudience:
        refused = self.refused.get(topic.subject) if topic.subject else None
        person = self.person if PARTS[topic.name].is_personal else 0
        return PartAudience(topic, self.rights.key, refused or frozenset(), person)

    def send(self, piece: bytes) -> None:
        """Let the stream send this; a browser that takes nothing is dropped."""
        if self.is_over:
            return
        if self._queue.full():
            self.end()
            return
        self.sent_at = time.monotonic()
        self._queue.put_nowait(piece)

    def end(self) -> None:
        """Let the stream end, whatever still waits to be sent."""
        self.is_over = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(b"")

    async def next(self) -> bytes:
        """Return all that waits, as soon as there is something; empty: the stream is over."""
        pieces = [await self._queue.get()]
        while not self._queue.empty():
            pieces.append(self._queue.get_nowait())
        return b"" if self.is_over else b"".join(pieces)
