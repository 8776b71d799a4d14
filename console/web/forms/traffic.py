"""The split: a row for each entry of spec.traffic, for what is newest beside it, and for what is added by name.

Only what a person edits changes. A row of an entry keeps everything about it that was not edited; the form carries
the split as it was shown (`seen`), so that edits are not confused with what somebody else changed meanwhile.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from console.knative import traffic
from console.knative.changes import SplitTraffic
from console.knative.kn import newest_first
from console.knative.objects import Revision, Service
from console.knative.presets import Preset
from console.knative.problems import Problem
from console.knative.traffic import LATEST, TrafficTarget

MAX_ROWS = 1200
NEWEST = 10  # revisions that have a row without being part of the split
_FIELD = re.compile(r"(?:name|percent|tag)-([0-9]{1,6})")


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


class TrafficForm:
    """The editor. `rows` keeps what was typed.

    `owner_of` names the service to which a revision outside `revisions` belongs; empty when there is no such
    revision at all.
    """

    def __init__(
        self,
        service: Service,
        revisions: Sequence[Revision],
        data: Mapping[str, Any] | None = None,
        owner_of: Callable[[str], str] = lambda name: "",
    ) -> None:
        self.service = service
        self.ordered = newest_first(revisions)
        self.revisions = {revision.name: revision for revision in revisions}
        self.owner_of = owner_of
        self.problems: list[Problem] = []
        self._entries = service.spec_traffic
        self._present = [Shown.of(target) for target in self._entries]
        self.rows = [self._row_of(place) for place in range(len(self._entries))] if data is None else self._typed(data)
        self._arrange()

    @property
    def seen(self) -> str:
        """The split as this page shows it, for the form to send back."""
        return json.dumps([[one.name, one.percent, one.tag] for one in self._present])

    def use(self, preset: Preset) -> None:
        """Give the preset's revisions their shares and all others none."""
        for row in self.rows:
            if row.value:
                row.percent = "0"
        for name, percent in preset.shares:
            row = self._best_row(name) or self._further_row(name)
            row.percent, row.is_removed = str(percent), False
        self._arrange()

    def show(self, targets: Iterable[TrafficTarget]) -> None:
        """Show this split as if it had been typed."""
        free = [row for row in self.rows if row.entry]
        for row in free:
            row.is_removed = True
        for target in targets:
            row = self._row_like(target, free) or self._further_row(target.name)
            free = [one for one in free if one is not row]
            row.percent, row.tag, row.is_removed = _text(target.percent), target.tag or "", False
        self._arrange()

    def is_valid(self) -> bool:
        """Check every row; problems are then on the rows, that of the total on the form."""
        if len(self.rows) > MAX_ROWS:
            self.problems.append(Problem("too-many-rows", {"limit": MAX_ROWS}))
            return False
        wished = [(row, target) for row in self._in_order() if self._check(row) and (target := row.wished())]
        if any(row.problems for row in self.rows):
            return False
        self._targets = tuple(target for _, target in wished)
        for row, target in wished:
            if row.asks_more_of(target) and row.is_gone:
                row.problems.append(Problem("revision-unknown", {"revision": row.name}, row.index, "revision"))
        for problem in traffic.problems(self._targets):
            (self.problems if problem.row is None else wished[problem.row][0].problems).append(problem)
        return not self.has_problems

    @property
    def has_problems(self) -> bool:
        return bool(self.problems or any(row.problems for row in self.rows))

    @property
    def change(self) -> SplitTraffic:
        return SplitTraffic(self._targets)

    @property
    def _values(self) -> list[int | Problem | None]:
        return [row.value for row in self.rows if not row.is_removed]

    @property
    def total(self) -> int:
        return sum(value for value in self._values if isinstance(value, int))

    @property
    def sum_problem(self) -> Problem | None:
        """The problem of the total, if it is known: the page's script shows the same while somebody types."""
        if self.total == 100 or any(isinstance(value, Problem) for value in self._values):
            return None
        return Problem("sum", {"sum": self.total}, None, "percent")

    @property
    def other_problems(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.code != "sum"]

    def _check(self, row: TrafficRow) -> bool:
        """What was typed in the row can be read; if not, problems are on it."""
        if row.is_removed:
            return True
        if isinstance(row.value, Problem):
            row.problems.append(row.value)
        if row.is_extra and not row.name and not row.is_blank:
            row.problems.append(Problem("revision-needed", {}, row.index, "revision"))
        if row.entry is None and row.owner and not row.is_blank:
            facts = {"revision": row.name, "owner": row.owner}
            row.problems.append(Problem("revision-foreign", facts, row.index, "revision"))
        return not row.problems

    def _in_order(self) -> list[TrafficRow]:
        """Entries where they are in the split, then what is added."""
        entries = sorted((row for row in self.rows if row.place is not None), key=lambda row: row.place or 0)
        return [*entries, *(row for row in self.rows if row.place is None and not row.is_blank)]

    def _row_of(self, place: int) -> TrafficRow:
        shown = self._present[place]
        return TrafficRow(
            name=shown.name,
            percent=_text(shown.percent),
            tag=shown.tag,
            entry=self._entries[place],
            place=place,
        )

    def _best_row(self, name: str) -> TrafficRow | None:
        """The row that a share of this revision goes to: one that has a share, one without a tag, any."""
        mine = [row for row in self.rows if row.name == name]
        mine.sort(key=lambda row: (row.entry is None, not (row.entry and row.entry.percent), bool(row.tag)))
        return next(iter(mine), None)

    def _row_like(self, target: TrafficTarget, free: Sequence[TrafficRow]) -> TrafficRow | None:
        """The row of the same entry, of the same revision and tag, or one that waits for this revision."""
        same = (row for row in free if row.entry and row.name == target.name and row.entry.raw == target.raw)
        alike = (row for row in free if (row.name, row.tag) == (target.name, target.tag or ""))
        waiting = (row for row in self.rows if row.name == target.name and row.is_blank)
        return next(same, None) or next(alike, None) or next(waiting, None)

    def _further_row(self, name: str) -> TrafficRow:
        self.rows.append(TrafficRow(name=name, is_extra=True))
        return self.rows[-1]

    def _arrange(self) -> None:
        """Offer what is newest and one empty row beside the rows that are there, and number them all."""
        named = {row.name for row in self.rows}
        offered = [LATEST, *(revision.name for revision in self.ordered[:NEWEST])]
        rows = sorted((row for row in self.rows if row.place is not None), key=lambda row: row.place or 0)
        rows += [row for row in self.rows if row.place is None and not row.is_extra]
        rows += [TrafficRow(name=name) for name in offered if name not in named]
        rows += [row for row in self.rows if row.place is None and row.is_extra]
        if not rows[-1].is_extra or not rows[-1].is_blank:
            rows.append(TrafficRow(is_extra=True))
        self.rows = rows
        for index, row in enumerate(self.rows):
            row.index = index
            self._judge(row)

    def _judge(self, row: TrafficRow) -> None:
        row.revision = self.revisions.get(row.name)
        row.owner, row.is_gone = "", False
        if row.name in ("", LATEST) or row.revision:
            return
        row.owner = self.owner_of(row.name)
        row.is_gone = not row.owner

    def _typed(self, data: Mapping[str, Any]) -> list[TrafficRow]:
        """The rows as they were sent, each with the entry that it edits as that is now."""
        sent = sorted({int(found[1]) for key in data if (found := _FIELD.fullmatch(key))})[: MAX_ROWS + 1]
        rows = [_sent_row(data, index) for index in sent]
        seen = _read_seen(data.get("seen"))
        if seen is None:
            self._match_by_name(rows)
            return [row for row in rows if row.is_extra or not row.is_blank]
        places = _same_places(seen, self._present)
        kept = []
        for row in rows:
            position = str(data.get(f"entry-{row.index}", ""))
            number = int(position) if re.fullmatch("[0-9]{1,6}", position) else len(seen)
            if number >= len(seen) or self._rebase(row, seen[number], places[number]):
                kept.append(row)
        placed = {row.place for row in kept}
        untouched = [self._row_of(place) for place in range(len(self._present)) if place not in placed]
        return [*untouched, *(row for row in kept if row.is_extra or not row.is_blank)]

    def _match_by_name(self, rows: Sequence[TrafficRow]) -> None:
        """A form that does not say what it showed is the whole split: its rows are matched by revision and tag."""
        free = list(range(len(self._present)))
        for is_exact in (True, False):
            for row in rows:
                wanted = (row.name, row.tag) if is_exact else row.name
                alike = (
                    place
                    for place in free
                    if wanted == ((one := self._present[place]).name, one.tag) or wanted == one.name
                )
                if row.entry is None and not row.is_extra and (place := next(alike, None)) is not None:
                    row.place, row.entry = place, self._entries[place]
                    free.remove(place)

    def _rebase(self, row: TrafficRow, shown: Shown, place: int | None) -> bool:
        """Put what was edited of the shown entry onto the entry as it is now; False where nothing is left of both."""
        is_percent_edited = isinstance(row.value, Problem) or (row.value or 0) != (shown.percent or 0)
        is_tag_edited = row.tag != shown.tag
        if place is None:  # somebody else took the entry away: only an edit of it brings it back
            row.is_extra = is_percent_edited or is_tag_edited
            return row.is_extra and not row.is_removed
        row.place, row.entry = place, self._entries[place]
        if not is_percent_edited:
            row.percent = _text(self._present[place].percent)
        if not is_tag_edited:
            row.tag = self._present[place].tag
        return True


def _sent_row(data: Mapping[str, Any], index: int) -> TrafficRow:
    return TrafficRow(
        index,
        str(data.get(f"name-{index}", "")).strip(),
        str(data.get(f"percent-{index}", "")),
        str(data.get(f"tag-{index}", "")).strip(),
        is_extra=f"extra-{index}" in data,
        is_removed=f"remove-{index}" in data,
    )


def _same_places(seen: Sequence[Shown], present: Sequence[Shown]) -> list[int | None]:
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


def _read_seen(text: Any) -> list[Shown] | None:
    """What the form says it showed; None when it does not say it, or not in the shape that this form writes."""
    try:
        found = [Shown(str(name), percent, str(tag)) for name, percent, tag in json.loads(text or "null") or ()]
    except (ValueError, TypeError):
        return None
    if not found or len(found) > MAX_ROWS or any(type(one.percent) not in (int, type(None)) for one in found):
        return None
    return found


def _text(percent: int | None) -> str:
    return "" if percent is None else str(percent)
