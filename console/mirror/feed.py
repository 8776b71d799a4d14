"""The feed of changes: every announcement, with the number of the last time that it was made.

An announcement is a call to look here; who missed it finds in the feed what was announced since. The number grows
with each announcement, of the watcher or of an operation. Redis may lose the feed: then its epoch is another, and what
happened in between is not known.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from redis.commands.core import Script

from console.mirror import keys
from console.mirror.announcements import Announcement, decoded
from console.mirror.read import guarded
from console.redis_client import client

MAX_BACK = 2000  # announcements that a reader may have missed and still find; at most announcements.KEPT

_READ = """
local epoch = redis.call('get', KEYS[1])
if not epoch then
  epoch = ARGV[1]
  redis.call('set', KEYS[1], epoch)
end
local number = tonumber(redis.call('get', KEYS[2]) or '0') or 0
local since = tonumber(ARGV[2])
if since < 0 or since >= number or number - since > tonumber(ARGV[3]) then return {epoch, number} end
return {epoch, number, redis.call('zrangebyscore', KEYS[3], '(' .. ARGV[2], '+inf', 'withscores')}
"""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed. Those of different epochs cannot be compared."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}"

    @classmethod
    def parsed(cls, text: str) -> "Position | None":
        """Return the position that a page or a browser names; None for any other text."""
        epoch, _, number = text.partition(".")
        is_one = 0 < len(epoch) <= 32 and epoch.isalnum() and number.isascii() and number.isdigit() and len(number) < 16
        return cls(epoch, int(number)) if is_one else None

    def may_be_found(self, from_here: "Position") -> bool:
        """Whether the feed at `from_here` still has all that was announced since this position."""
        return self.epoch == from_here.epoch and 0 <= from_here.number - self.number <= MAX_BACK


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What the feed has after a number, oldest first, and where it ends."""

    end: Position
    entries: tuple[tuple[int, Announcement], ...]


@guarded
def end() -> Position:
    """Return where the feed ends: what is announced from now on comes after it."""
    return _excerpt(-1).end


@guarded
def after(position: Position) -> Excerpt | None:
    """Return what was announced after the position; None when that is not known."""
    found = _excerpt(position.number)
    return found if position.may_be_found(found.end) else None


def _excerpt(number: int) -> Excerpt:
    own = uuid.uuid4().hex[:8]
    places = [keys.FEED_EPOCH, keys.FEED_NUMBER, keys.FEED]
    answer: Any = _reader()(keys=places, args=[own, str(number), str(MAX_BACK)], client=client())
    records: list[str] = answer[2] if len(answer) > 2 else []
    return Excerpt(Position(str(answer[0]), int(answer[1])), tuple(_understood(records)))


def _understood(records: list[str]) -> Iterable[tuple[int, Announcement]]:
    for record, score in zip(records[::2], records[1::2], strict=True):
        if (announcement := decoded(record)) is not None:
            yield int(float(score)), announcement


@cache
def _reader() -> Script:
    return client().register_script(_READ)
