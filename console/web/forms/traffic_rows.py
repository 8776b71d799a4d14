"""The rows of the split's form: what was typed into each, and the entry of spec.traffic that it edits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from console.knative import traffic
from console.knative.objects import Revision
from console.knative.problems import Problem
from console.knative.traffic import LATEST, TrafficTarget

MAX_ROWS = 1200


@dataclass(frozen=True, slots=True)
class Shown:
    """What a row showed of its entry when the page was made."""

    name: str
    percent: int | None
    tag: str

    @classmethod
    def of(cls, target: TrafficTarget) -> Self:
        return cls(target.name, target.percent, target.tag or "")


@dataclass(slots=True, eq=False)
class TrafficRow:
    """One line of the editor, with what was typed. `name` is a revision or @latest; `entry` is what it edits."""

    index: int = 0
    name: str = ""
    percent: str = ""
    tag: str = ""
    entry: TrafficTarget | None = None
    place: int | None = None  # of the entry in spec.traffic
    is_extra: bool = False  # its revision is typed
    is_removed: bool = False
    moves_to: str = ""  # the revision that gets the row's tag
    sent_as: int | None = None  # its number in the form that was sent
    means: str = ""  # the revision that gets the share: of @latest the latest ready one
    revision: Revision | None = None
    is_gone: bool = False  # the revision does not exist
    owner: str = ""  # the other service that the revision belongs to
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Nothing was typed: a row of its own for a revision says its name by itself."""
        return self.entry is None and not (self.is_extra and self.name) and not (self.value or self.tag)

    def problems_of(self, field_name: str) -> list[Problem]:
        return [problem for problem in self.problems if problem.field == field_name]

    @property
    def percent_problems(self) -> list[Problem]:
        return self.problems_of("percent")

    @property
    def tag_problems(self) -> list[Problem]:
        return self.problems_of("tag")

    @property
    def revision_problems(self) -> list[Problem]:
        return self.problems_of("revision")

    @property
    def share(self) -> int:
        """Its percent; 0 where none can be read, or the row is removed."""
        return self.value if isinstance(self.value, int) and not self.is_removed else 0

    @property
    def value(self) -> int | Problem | None:
        return traffic.parse_percent(self.percent, self.index)

    def wished(self) -> TrafficTarget | None:
        """The target that this row asks for; None when it asks for none. Its percent has been checked."""
        percent = self.value if isinstance(self.value, int) else None
        revision = None if self.name == LATEST else self.name
        if self.is_removed:
            return None
        if self.entry is None:
            is_typed = self.is_extra or percent or self.tag
            return TrafficTarget(revision, percent, self.tag or None) if is_typed else None
        edited = self.entry
        if self.name != edited.name:
            edited = replace(edited, revision=revision, follows_latest=revision is None)
        if (percent or 0) != (edited.percent or 0):
            edited = replace(edited, percent=percent or 0)
        if self.tag != (edited.tag or ""):
            edited = replace(edited, tag=self.tag or None)
        is_emptied = edited != self.entry and not edited.percent and not edited.tag
        return None if is_emptied else edited

    def asks_more_of(self, target: TrafficTarget) -> bool:
        """Traffic is to go where this entry sent none, or less: then the revision must exist."""
        was = self.entry
        return was is None or target.name != was.name or (target.percent or 0) > (was.percent or 0)


def sent_row(data: Mapping[str, Any], index: int) -> TrafficRow:
    return TrafficRow(
        index,
        str(data.get(f"name-{index}", "")).strip(),
        str(data.get(f"percent-{index}", "")),
        str(data.get(f"tag-{index}", "")).strip(),
        is_extra=f"extra-{index}" in data,
        is_removed=f"remove-{index}" in data,
        moves_to=str(data.get(f"move-{index}", "")).strip(),
        sent_as=index,
    )


def move_tags(rows: Sequence[TrafficRow]) -> list[TrafficRow]:
    """Give tags to the revisions that they were moved to: the entry goes with its tag unless it has a share."""
    found = []
    for row in rows:
        target, row.moves_to = row.moves_to, ""
        found.append(row)
        if not (target and row.tag) or target == row.name or row.is_removed:
            continue
        if row.share:
            found.append(TrafficRow(name=target, tag=row.tag))
            row.tag = ""
        else:
            row.name = target
    return found


def same_places(seen: Sequence[Shown], present: Sequence[Shown]) -> list[int | None]:
    """For each entry that was shown, where it is now: as it was, else by revision and tag, else by revision."""
    if list(seen) == list(present):
        return list(range(len(seen)))
    found: list[int | None] = [None] * len(seen)
    free = list(range(len(present)))
    for is_same in (
        lambda one, other: one == other,
        lambda one, other: (one.name, one.tag) == (other.name, other.tag),
        lambda one, other: one.name == other.name,
    ):
        for index, one in enumerate(seen):
            place = next((place for place in free if found[index] is None and is_same(one, present[place])), None)
            if place is not None:
                found[index] = place
                free.remove(place)
    return found


def read_seen(text: Any) -> list[Shown] | None:
    """What the form says it showed; None when it does not say it, or not in the shape that this form writes."""
    try:
        found = [Shown(str(name), percent, str(tag)) for name, percent, tag in json.loads(text or "null") or ()]
    except (ValueError, TypeError):
        return None
    if not found or len(found) > MAX_ROWS or any(type(one.percent) not in (int, type(None)) for one in found):
        return None
    return found


def percent_text(percent: int | None) -> str:
    return "" if percent is None else str(percent)
