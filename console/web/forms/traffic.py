"""The split: a row for each target and each revision that could become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.knative import traffic
from console.knative.changes import SplitTraffic
from console.knative.objects import Revision, Service
from console.knative.traffic import LATEST, PRESETS, Problem, TrafficTarget

MOST_ROWS = 400
SHOWN_REVISIONS = 25


@dataclass(slots=True)
class TrafficRow:
    """One line of the editor, as it stands in the form. `name` is a revision or @latest; percent is what was typed."""

    index: int
    name: str = ""
    percent: str = ""
    tag: str = ""
    revision: Revision | None = None
    is_extra: bool = False  # a further tag, its revision chosen from a list
    problems: list[Problem] = field(default_factory=list)

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


class TrafficForm:
    """The editor over all revisions and @latest. `rows` keeps what was typed."""

    def __init__(self, service: Service, revisions: Sequence[Revision], data: Mapping[str, Any] | None = None) -> None:
        self.service = service
        self.revisions = {revision.name: revision for revision in revisions}
        self.problems: list[Problem] = []
        self.rows = self._present() if data is None else self._typed(data)
        for row in self.rows:
            row.revision = self.revisions.get(row.name)

    def use_preset(self, name: str) -> None:
        """Put the preset's percents on the newest ready revisions, newest first; all others get 0.

        Where the service has a target that follows latest, it stands for the newest: both would be one revision.
        """
        percents = iter(PRESETS[name])
        taken: set[str] = set()
        for row in self.rows:
            wanted = self._may_take_part(row) and row.name not in taken
            row.percent = str(next(percents, 0)) if wanted else "0"
            taken.add(row.name)

    def _may_take_part(self, row: TrafficRow) -> bool:
        follows = any(target.is_latest for target in self.service.spec_traffic)
        if row.name == LATEST:
            return follows
        is_newest = row.name == self.service.latest_ready_revision
        return row.revision is not None and row.revision.ready.is_true and not (follows and is_newest)

    def send_all_to(self, name: str) -> None:
        for row in self.rows:
            row.percent = "0"
        first = next((row for row in self.rows if row.name == name and not row.is_extra), None)
        if first:
            first.percent = "100"

    def is_valid(self) -> bool:
        """Check every row; problems then stand on the rows, the sum's on the form."""
        rows = [row for row in self.rows if not (row.is_extra and not row.tag)]
        percents: dict[int, int] = {}
        for row in rows:
            read = traffic.parse_percent(row.percent, row.index)
            if isinstance(read, Problem):
                row.problems.append(read)
            else:
                percents[row.index] = read
        if len(percents) < len(rows):
            return False
        wanted = [row for row in rows if percents[row.index] or row.tag]
        targets = [self._target(row, percents[row.index]) for row in wanted]
        for problem in traffic.problems(targets, self.revisions):
            (self.problems if problem.row is None else wanted[problem.row].problems).append(problem)
        self._targets = tuple(targets)
        return not self.problems and not any(row.problems for row in rows)

    @property
    def change(self) -> SplitTraffic:
        return SplitTraffic(self._targets)

    @property
    def total(self) -> int:
        found = [traffic.parse_percent(row.percent, row.index) for row in self.rows]
        return sum(percent for percent in found if isinstance(percent, int))

    @staticmethod
    def _target(row: TrafficRow, percent: int) -> TrafficTarget:
        return TrafficTarget(None if row.name == LATEST else row.name, percent, row.tag or None)

    def _present(self) -> list[TrafficRow]:
        """@latest and revisions newest first; targets with their percent and tag, further tags as rows of their own."""
        targets = list(self.service.spec_traffic)
        order = [LATEST, *sorted(self.revisions, key=lambda name: -self.revisions[name].configuration_generation)]
        named = {target.name for target in targets}
        shown = [name for index, name in enumerate(order) if name in named or index <= SHOWN_REVISIONS]
        shown += sorted(named - set(shown))
        rows: list[TrafficRow] = []
        for name in shown:
            mine = [target for target in targets if target.name == name]
            rows += [TrafficRow(0, name, str(t.percent or 0), t.tag or "") for t in mine] or [TrafficRow(0, name, "0")]
        rows.append(TrafficRow(0, is_extra=True))
        for index, row in enumerate(rows):
            row.index = index
        return rows

    def _typed(self, data: Mapping[str, Any]) -> list[TrafficRow]:
        count = str(data.get("rows", "0"))
        return [
            TrafficRow(
                index,
                str(data.get(f"name-{index}", "")),
                str(data.get(f"percent-{index}", "")),
                str(data.get(f"tag-{index}", "")).strip(),
                is_extra=f"extra-{index}" in data,
            )
            for index in range(min(int(count) if count.isdecimal() and len(count) < 10 else 0, MOST_ROWS))
        ]
