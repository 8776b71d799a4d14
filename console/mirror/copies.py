"""A process's own copy of what lists show of a cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
MAX_STEPS = 50  # that a copy remembers


@dataclass(frozen=True, slots=True)
class Copy(Generic[T]):
    """What this process decoded of a cluster, by `namespace/name`, and the last steps that led there."""

    epoch: str
    version: int
    by_name: Mapping[str, T]
    steps: tuple[tuple[int, frozenset[str]], ...] = ()  # the version before each, and the names that it changed

    def changed_since(self, before: "Copy[T]") -> frozenset[str] | None:
        """Return the names that may differ from an earlier copy; None when that is not known any more."""
        if before is self:
            return frozenset()
        later = [names for version, names in self.steps if version >= before.version]
        is_known = self.epoch == before.epoch and any(version == before.version for version, _ in self.steps)
        return frozenset().union(*later) if is_known else None
