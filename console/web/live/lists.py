"""What changed of the services, and what each audience of the list is told of it.

The rows are read and rendered once for a change, for all who see them. A row that changed in itself is sent to those
whose page has it. Where a change moves it, into a page or out of it or within it, the page is told to look at itself
again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.feed import Position
from console.mirror.summaries import ServiceSummary
from console.operations import queries
from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.web.attention import reason_of
from console.web.live import frames
from console.web.live.surroundings import Surroundings
from console.web.rows import Look, Row, may_pick, rows_of
from console.web.service_list import SORTS, matches
from console.web.topics import ListTopic


@dataclass(frozen=True, slots=True)
class Change:
    """A service whose row was read again: before and after; None: there was none, or is none."""

    ref: ServiceRef
    before: ServiceSummary | None
    after: Row | None
    was_waiting: bool  # an operation of it waited for approval
    may_move: bool  # its place in lists, or what they say above their rows, may be another
    is_equal: bool  # the row is as it was: only who came since then needs it


@dataclass
class Lists:
    """The services as the viewers know them, from `start` on."""

    start: Position
    surroundings: Surroundings
    under_way: dict[ServiceRef, Operation]
    summaries: dict[ServiceRef, ServiceSummary]
    waiting: set[ServiceRef]  # that have an operation which waits for approval
    rows: dict[ServiceRef, Row] = field(default_factory=dict)
    read_in: dict[ServiceRef, int] = field(default_factory=dict)  # the step in which the row was read
    moved: dict[ServiceRef, int] = field(default_factory=dict)  # the number in the feed at which it may have moved

    @classmethod
    def begin(cls, start: Position, around: Surroundings) -> "Lists":
        """Read the services; what is announced after `start` may be in them already."""
        under_way = queries.open_by_service()
        waiting = {ref for ref, one in under_way.items() if one.status == Status.WAITING}
        summaries = {row.ref: row for name in around.clusters for row in read.services(name)}
        return cls(start, around, under_way, summaries, waiting)

    def reread_operations(self) -> None:
        self.under_way = queries.open_by_service()

    def advance(self, refs: Collection[ServiceRef], step: int, number: int) -> list[Change]:
        """Read the services again; returns what became of each."""
        by_cluster: dict[str, list[str]] = {}
        for ref in refs:
            by_cluster.setdefault(ref.cluster, []).append(f"{ref.namespace}/{ref.name}")
        found = [one for cluster, names in by_cluster.items() for one in read.summaries_named(cluster, names)]
        rows = rows_of(found, self.under_way, self.surroundings.stale, self.surroundings.protection)
        after = {row.summary.ref: row for row in rows}
        return [self._take(ref, after.get(ref), step, number) for ref in refs]

    def _take(self, ref: ServiceRef, after: Row | None, step: int, number: int) -> Change:
        before = self.summaries.get(ref)
        was_waiting, is_waiting = ref in self.waiting, _is_waiting(after)
        is_equal = ref in self.read_in and self.rows.get(ref) == after
        may_move = was_waiting != is_waiting or _may_move(before, after.summary if after else None)
        self._keep(ref, after)
        if not is_equal:
            self.read_in[ref] = step
        if may_move:
            self.moved[ref] = number
        return Change(ref, before, after, was_waiting, may_move, is_equal)

    def _keep(self, ref: ServiceRef, row: Row | None) -> None:
        if row:
            self.summaries[ref], self.rows[ref] = row.summary, row
        else:
            self.summaries.pop(ref, None)
            self.rows.pop(ref, None)
        (self.waiting.add if _is_waiting(row) else self.waiting.discard)(ref)

    def told(self, topic: ListTopic, rights: Rights, changes: Sequence[Change], at: Position) -> bytes:
        """Return what people with these rights are told of the changes on this page; empty when it is nothing."""
        now, found, must_look = timezone.now(), [], False
        for change in changes:
            row = change.after
            if row and topic.shows(row.summary.uid) and _allows(rights, row.summary):
                found.append((row, self.look(topic, rights)))
            must_look = must_look or (
                (change.may_move or _sorts_by_change(topic)) and _moves(change, topic, rights, now)
            )
        rows = frames.of_rows(topic.text, at, found) if found else b""
        return rows + (frames.event("changed", topic.text) if must_look else b"")

    def missed(
        self, topic: ListTopic, rights: Rights, refs: Collection[ServiceRef], since: int, at: Position
    ) -> tuple[bytes, frozenset[ServiceRef]]:
        """Return what a page is told of services that were announced since it was made, and of which it has the row."""
        seen = [row for ref in refs if (row := self.rows.get(ref)) and _allows(rights, row.summary)]
        found = [row for row in seen if topic.shows(row.summary.uid)]
        rows = frames.of_rows(topic.text, at, [(row, self.look(topic, rights)) for row in found]) if found else b""
        knows = self.start.number <= since and not _sorts_by_change(topic)
        must_look = bool(refs) and not (knows and all(self.moved.get(ref, 0) <= since for ref in refs))
        return rows + (frames.event("changed", topic.text) if must_look else b""), frozenset(
            row.summary.ref for row in found
        )

    def look(self, topic: ListTopic, rights: Rights) -> Look:
        names_cluster = sum(rights.reaches(name) for name in self.surroundings.clusters) > 1
        return Look(topic.language, topic.columns, may_pick(rights), names_cluster)


def _may_move(before: ServiceSummary | None, after: ServiceSummary | None) -> bool:
    """Whether a list may have the service elsewhere now, or say something else of it above its rows."""
    if before is None or after is None:
        return before is not after
    now = timezone.now()
    return reason_of(before, now) != reason_of(after, now) or any(
        getattr(before, name) != getattr(after, name) for name in ("uid", "health", "labels", "image", "url")
    )


def _moves(change: Change, topic: ListTopic, rights: Rights, now: datetime) -> bool:
    """Whether the page has to look at itself again: the service comes, leaves, moves, or is told of above the rows."""
    before, after = change.before, change.after.summary if change.after else None
    was_seen = before is not None and _allows(rights, before)
    is_seen = after is not None and _allows(rights, after)
    if was_seen != is_seen:
        return True
    if not (is_seen and before and after):
        return False
    waited = (change.ref,) if change.was_waiting else ()
    waits = (change.ref,) if _is_waiting(change.after) else ()
    was_in, is_in = matches(before, topic.query, now, waited), matches(after, topic.query, now, waits)
    key = SORTS.get(topic.query.get("sort", "").lstrip("-"), SORTS["name"])
    is_told = reason_of(before, now, waited) != reason_of(after, now, waits)
    return was_in != is_in or (is_in and (is_told or before.uid != after.uid or key(before) != key(after)))


def _sorts_by_change(topic: ListTopic) -> bool:
    return topic.query.get("sort", "").lstrip("-") == "changed"


def _allows(rights: Rights, summary: ServiceSummary) -> bool:
    return rights.allows(Permission.VIEW, summary.ref, summary.labels)


def _is_waiting(row: Row | None) -> bool:
    return bool(row and row.under_way and row.under_way.is_waiting)
