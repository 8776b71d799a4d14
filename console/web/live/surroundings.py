"""What pages show of all services at once: the clusters there are, which are stale, protection.

Who changes it does not announce it. The process that first sees a difference does: so it has a number in the feed, and
pages that were hidden, or whose process began meanwhile, hear of it too.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import blake2b

from django.utils import timezone

from console.mirror import keys, read
from console.mirror.announcements import announce
from console.mirror.read import guarded
from console.operations.protection.gate import Protection
from console.redis_client import client

OLD_AFTER = 5.0  # seconds; then it is read again


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Two that are equal make the same pages."""

    clusters: tuple[str, ...]
    stale: frozenset[str]  # those of the clusters whose copy is old
    marks: Hashable  # of protection
    protection: Protection = field(compare=False)
    read_at: float = field(compare=False)

    @classmethod
    def read(cls) -> "Surroundings":
        clusters, protection = read.clusters(), Protection()
        stale = frozenset(name for name in clusters if read.freshness(name).is_stale)
        return cls(clusters, stale, protection.marks(timezone.now()), protection, time.monotonic())

    @guarded
    def announce_unless_known(self, before: "Surroundings | None") -> None:
        """Announce them where they are others than `before` and no process did; raises MirrorUnavailable.

        A process that begins compares them with those announced last. Noted only then: who ends in between has
        announced, and the next one does again.
        """
        known = client().get(keys.SURROUNDINGS)
        if self == before or known == self._digest:
            return
        if before is not None or known is not None:
            announce(client(), {"kind": "surroundings"})
        client().set(keys.SURROUNDINGS, self._digest)

    @property
    def _digest(self) -> str:
        facts = (self.clusters, sorted(self.stale), self.marks)
        return blake2b(repr(facts).encode(), digest_size=16).hexdigest()

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.read_at >= OLD_AFTER
