"""What the viewers of a live part are sent: its pieces that changed, made once for all who have the same sight of it.

Beside them goes the version of every piece. A browser that has another one, and is not sent it, asks for its page: what
it fetched may be older or newer than what was sent before, and nothing needs to be known here of what a page shows.
"""

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from django.db import DatabaseError
from django.http import Http404

from console.access.authorization import Rights
from console.mirror.announcements import Announcement
from console.mirror.feed import Position
from console.mirror.read import MirrorUnavailable
from console.web.live import frames
from console.web.live.viewers import PartAudience
from console.web.parts import registry
from console.web.parts.registry import PARTS
from console.web.topics import PartTopic

Frame = Callable[[PartTopic, Hashable, registry.Made, Position], bytes]

log = structlog.get_logger(__name__)


@dataclass
class Parts:
    """The parts that somebody looks at, and what was sent of them last."""

    waiting: set[PartTopic] = field(default_factory=set)  # something was announced of them since they were made
    made_at: dict[PartTopic, float] = field(default_factory=dict)
    sent: dict[tuple[PartTopic, Hashable], dict[str, str]] = field(default_factory=dict)  # versions by topic and sight

    def hear(self, topics: Collection[PartTopic], heard: Sequence[Announcement], *, all_differ: bool) -> None:
        """Take note of which parts have to be made again, and forget those that nobody looks at any more."""
        self.waiting = {topic for topic in self.waiting if topic in topics}
        self.made_at = {topic: at for topic, at in self.made_at.items() if topic in topics}
        self.sent = {key: versions for key, versions in self.sent.items() if key[0] in topics}
        self.waiting |= {topic for topic in topics if all_differ or any(topic.concerns(one) for one in heard)}

    def seconds_to_next(self) -> float:
        """How long until one of those that wait may be made."""
        now = time.monotonic()
        return min((max(0.0, self._due_at(topic) - now) for topic in self.waiting), default=float("inf"))

    def told(self, audiences: Mapping[PartAudience, Rights], at: Position) -> dict[PartAudience, bytes]:
        """Make the parts whose turn it is; returns what each audience is told."""
        now = time.monotonic()
        due = {topic for topic in self.waiting if self._due_at(topic) <= now}
        self.waiting -= due
        self.made_at |= dict.fromkeys(due, now)
        return self._by_topic({one: rights for one, rights in audiences.items() if one.topic in due}, at, self._frame)

    def whole(self, audiences: Mapping[PartAudience, Rights], at: Position) -> dict[PartAudience, bytes]:
        """Make the parts for those whose pages missed something; what all others were sent last stays as it is."""
        return self._by_topic(audiences, at, _whole_frame)

    def _by_topic(
        self, audiences: Mapping[PartAudience, Rights], at: Position, frame: Frame
    ) -> dict[PartAudience, bytes]:
        by_topic: dict[PartTopic, list[PartAudience]] = {}
        for audience in audiences:
            by_topic.setdefault(audience.topic, []).append(audience)
        told = (self._told_of(found, audiences, at, frame) for found in by_topic.values())
        return {audience: piece for pairs in told for audience, piece in pairs}

    def _due_at(self, topic: PartTopic) -> float:
        return self.made_at.get(topic, float("-inf")) + PARTS[topic.name].pause

    def _told_of(
        self, found: Sequence[PartAudience], audiences: Mapping[PartAudience, Rights], at: Position, frame: Frame
    ) -> Iterable[tuple[PartAudience, bytes]]:
        """All audiences of one topic; where it cannot be made, the pages are told to look, and show why."""
        topic = found[0].topic
        try:
            return self._made(topic, found, audiences, at, frame)
        except DatabaseError:
            raise
        except (Http404, MirrorUnavailable):
            pass
        except Exception:  # one page that cannot be made must not end the streams of all others
            log.exception("live_part_failed", topic=topic.text)
        return [(one, frames.event("changed", topic.text)) for one in found]

    def _made(
        self,
        topic: PartTopic,
        found: Sequence[PartAudience],
        audiences: Mapping[PartAudience, Rights],
        at: Position,
        frame: Frame,
    ) -> list[tuple[PartAudience, bytes]]:
        part, by_sight, told = PARTS[topic.name], dict[Hashable, bytes](), []
        if part.is_personal:  # what somebody sees of it may change its sight: who has this one was sent others before
            frame = _whole_frame
        thing = part.load(topic)
        for audience in found:
            rights = audiences[audience]
            sight = part.sight(topic, thing, audience.with_rights(rights))
            if sight is None:
                told.append((audience, frames.event("gone", topic.text)))
                continue
            if sight not in by_sight:
                by_sight[sight] = frame(topic, sight, registry.made(topic, thing, rights, sight), at)
            told.append((audience, by_sight[sight]))
        return told

    def _frame(self, topic: PartTopic, sight: Hashable, made: registry.Made, at: Position) -> bytes:
        region, is_over = made
        before, versions = self.sent.get((topic, sight), {}), region.versions
        self.sent[topic, sight] = versions
        is_other = before.get("") != versions[""]  # pieces came or went: all are sent, in their places
        html = {name: text for name, text in region.pieces.items() if is_other or before.get(name) != versions[name]}
        around = {"": region.skeleton} if is_other else {}
        return frames.of_part(topic.text, at, versions, around | html, is_over=is_over)


def _whole_frame(topic: PartTopic, _sight: Hashable, made: registry.Made, at: Position) -> bytes:
    region, is_over = made
    return frames.of_part(topic.text, at, region.versions, {"": region.skeleton, **region.pieces}, is_over=is_over)
