"""What a change does to the shares of the revisions: how they are now, and how they will be."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.knative.objects import Service
from console.knative.traffic import LATEST, as_served, shares


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the traffic. A revision that the change makes has no name yet."""

    revision: str
    percent: int
    start: int  # percent of those before it

    @property
    def is_new(self) -> bool:
        return not self.revision


@dataclass(frozen=True, slots=True)
class SplitEffect:
    """The shares before and after a change, each in the order of its split."""

    before: tuple[Share, ...]
    after: tuple[Share, ...]

    @property
    def moves(self) -> bool:
        return _by_revision(self.before) != _by_revision(self.after)

    @property
    def new_percent(self) -> int:
        """What the revision that the change makes gets once it is ready."""
        return sum(share.percent for share in self.after if share.is_new)


def split_effect(before: Service, after: Service, *, makes_revision: bool) -> SplitEffect:
    """Return the effect of a change that makes `after` of `before`.

    Before it, `@latest` is the revision that it means; after it, the one that the change makes, if it makes one.
    """
    latest = before.latest_ready_revision
    was = shares(as_served(before.spec_traffic, latest)) if before.raw else {}
    becomes = shares(after.spec_traffic if makes_revision else as_served(after.spec_traffic, latest))
    return SplitEffect(parts(was), parts(becomes, new=LATEST if makes_revision else ""))


def parts(found: Mapping[str, int], new: str = "") -> tuple[Share, ...]:
    """Return the shares in their order; `new` is what the revision is called there that the change makes."""
    made, start = [], 0
    for revision, percent in found.items():
        made.append(Share("" if revision == new else revision, percent, start))
        start += percent
    return tuple(made)


def _by_revision(found: tuple[Share, ...]) -> dict[str, int]:
    return {share.revision: share.percent for share in found}
