"""What pages show of all services at once and nobody announces: the clusters there are, which are stale, protection."""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field

from django.utils import timezone

from console.mirror import read
from console.operations.protection.gate import Protection

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

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.read_at >= OLD_AFTER
