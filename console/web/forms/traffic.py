"""The split: a row for each entry of spec.traffic, for what is newest beside it, and for what is added by name.

Only what a person edits changes. A row of an entry keeps everything about it that was not edited; the form carries
the split as it was shown (`seen`), so that edits are not confused with what somebody else changed meanwhile.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.knative import traffic
from console.knative.changes import SplitTraffic
from console.knative.kn import newest_first
from console.knative.objects import Revision, Service
from console.knative.presets import Preset
from console.knative.problems import Problem
from console.knative.split_effect import Share, parts
from console.knative.traffic import LATEST, TrafficTarget, as_served, shares
from console.web.forms.traffic_rows import (
    MAX_ROWS,
    Shown,
    TrafficRow,
    move_tags,
    percent_text,
    read_seen,
    same_places,
    sent_row,
)

NEWEST = 5  # revisions that have a row without being part of the split
_FIELD = re.compile(r"(?:name|percent|tag)-([0-9]{1,6})")


@dataclass(slots=True)
class Target:
    """What the page shows in one line: a revision with its share, and its further tags."""

    row: TrafficRow
    tags: list[TrafficRow] = field(default_factory=list)


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
        """Give the preset's revisions their shares and all others none.

        A tag of @latest that only tries one of them is put on it (`traffic.pinned`).
        """
        for row in self.rows:
            if row.name == LATEST and row.tag and not row.share and row.means in dict(preset.shares):
                row.name = row.means
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
            row.percent, row.tag, row.is_removed = percent_text(target.percent), target.tag or "", False
        self._arrange()

    def add_tag(self, name: str) -> None:
        """Offer a further tag for this revision, or for @latest."""
        if name in {row.name for row in self.rows}:
            self.rows.append(TrafficRow(name=name))
            self._arrange()

    def fill(self, number: int, name: str) -> None:
        """Give a row what is missing to 100: that of this number in the form that was sent, else of this name."""
        sent = (row for row in self.rows if row.sent_as == number)
        if row := next(sent, None) or (self._best_row(name) if name else None):
            row.percent = str(max(0, 100 - self.total + row.share))

    @property
    def targets(self) -> list[Target]:
        """The rows as the page shows them: those of a revision without a share are further tags of its line."""
        found: dict[str, Target] = {}
        lines: list[Target] = []
        for row in sorted(self.rows, key=lambda row: not (row.share or row.percent_problems)):
            line = found.get(row.name)
            if line is None or row.share or row.is_extra or row.percent_problems:
                line = Target(row)
                lines.append(line)
                found.setdefault(row.name, line)
            else:
                line.tags.append(row)
        return sorted(lines, key=lambda line: min(row.index for row in (line.row, *line.tags)))

    @property
    def before(self) -> tuple[Share, ...]:
        """The shares as they are now."""
        return parts(shares(as_served(self._entries, self.service.latest_ready_revision)))

    @property
    def after(self) -> tuple[Share, ...]:
        """The shares as they are typed."""
        found: dict[str, int] = {}
        for row in self._in_order():
            if row.share:
                found[row.means] = found.get(row.means, 0) + row.share
        return parts(found)

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
            percent=percent_text(shown.percent),
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
        row.means = (self.service.latest_ready_revision or LATEST) if row.name == LATEST else row.name
        row.revision = self.revisions.get(row.name)
        row.owner, row.is_gone = "", False
        if row.name in ("", LATEST) or row.revision:
            return
        row.owner = self.owner_of(row.name)
        row.is_gone = not row.owner

    def _typed(self, data: Mapping[str, Any]) -> list[TrafficRow]:
        """The rows as they were sent, each with the entry that it edits as that is now."""
        sent = sorted({int(found[1]) for key in data if (found := _FIELD.fullmatch(key))})[: MAX_ROWS + 1]
        rows = [sent_row(data, index) for index in sent]
        seen = read_seen(data.get("seen"))
        if seen is None:
            self._match_by_name(rows)
            return move_tags([row for row in rows if row.is_extra or not row.is_blank])
        places = same_places(seen, self._present)
        kept = []
        for row in rows:
            position = str(data.get(f"entry-{row.index}", ""))
            number = int(position) if re.fullmatch("[0-9]{1,6}", position) else len(seen)
            if number >= len(seen) or self._rebase(row, seen[number], places[number]):
                kept.append(row)
        placed = {row.place for row in kept}
        untouched = [self._row_of(place) for place in range(len(self._present)) if place not in placed]
        return move_tags([*untouched, *(row for row in kept if row.is_extra or not row.is_blank)])

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
            row.percent = percent_text(self._present[place].percent)
        if not is_tag_edited:
            row.tag = self._present[place].tag
        return True
