"""Filtering the log as the review page and exports do, and reading it page by page with bounded work.

The newest entries are looked through first, in steps that grow: what is frequent is found in the first few thousand
entries, what is rare by an index. A text is looked for in at most MAX_SEARCHED_ENTRIES entries a page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from console import periods
from console.audit.models import CONSOLE_NAME, Action, Entry
from console.knative.authors import ActorKind
from console.periods import Period

EXACT = ("actor", "team", "cluster", "namespace", "service", "action", "outcome")
FIELDS = (*EXACT, "actor_kind", "person", "operation", "group", *periods.FIELDS, "q")
# First words of actions that people look for together.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "changes": ("deploy", "traffic", "operate", "delete"),
    "results": ("operation",),
    "outside": ("outside",),
    "reveals": ("reveal",),
    "sessions": ("session", "account", "second-factor"),
    "access": ("manage", "team", "grant", "role", "rights"),
    "approvals": ("approve", "protect"),
    "tokens": ("token",),
    "clusters": ("cluster",),
    "audit": ("audit",),
    "tests": ("view",),
    "reads": ("read",),
}
STEPS = (2_000, 20_000, 200_000)
MAX_SEARCHED_ENTRIES = 200_000
SLACK = 1_000  # entries by which a clock that was set may have mixed up the order in time


@dataclass(frozen=True, slots=True)
class Search:
    """The entries that match, and the sequence numbers between which they lie: `low` and below `high`."""

    entries: QuerySet[Entry]
    low: int
    high: int
    is_text: bool
    problems: frozenset[str] = field(default_factory=frozenset)  # fields that cannot be read


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first. `searched_to`: nothing older was looked at yet, and there may be more."""

    entries: list[Entry]
    has_older: bool
    has_newer: bool
    searched_to: int | None = None

    @property
    def older_below(self) -> int | None:
        """The entry below which the next older page begins; None where there is none."""
        return self.entries[-1].sequence if self.has_older else None

    @property
    def newer_above(self) -> int | None:
        """The entry above which the next newer page begins; None where there is none."""
        return self.entries[0].sequence if self.has_newer and self.entries else None


NO_PAGE = Page([], False, False)


def search(entries: QuerySet[Entry], query: Mapping[str, str]) -> Search:
    """Return those of the entries that the query's FIELDS ask for; empty ones ask for nothing."""
    asked = {name: query.get(name, "").strip() for name in FIELDS}
    period = periods.period(asked)
    matching = entries.filter(_matches(asked) & _within(period))
    return Search(matching, *_bounds(period), is_text=bool(asked["q"]), problems=period.problems)


def _matches(asked: Mapping[str, str]) -> Q:
    """What is asked for besides the time."""
    condition = Q(**{name: asked[name] for name in EXACT if asked[name]})
    for name, lookup in _LOOKUPS.items():
        if asked[name]:
            condition &= lookup(asked[name])
    return condition


def _within(period: Period) -> Q:
    since = Q(at__gte=period.since) if period.since else Q()
    return since & Q(at__lt=period.until) if period.until else since


def _bounds(period: Period) -> tuple[int, int]:
    """The sequence numbers between which the entries of a period lie: the first, and the one after the last."""
    newest = Entry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    oldest = Entry.objects.order_by("sequence").values_list("sequence", flat=True).first() or 1
    end = newest + 1
    low, high = oldest, end
    if period.since:
        first = first_from(period.since)
        low = end if first is None else max(oldest, first - SLACK)
    if period.until and (first := first_from(period.until)) is not None:
        high = min(end, first + SLACK)
    return low, high


def older(found: Search, below: int | None, count: int) -> Page:
    """Return the newest entries below a sequence number, or of all."""
    top = found.high if below is None else min(below, found.high)
    rows: list[Entry] = []
    floor = top
    for step in STEPS:
        floor = max(found.low, top - step)
        rows = list(found.entries.filter(sequence__lt=top, sequence__gte=floor).order_by("-sequence")[: count + 1])
        if len(rows) > count or floor == found.low:
            return Page(rows[:count], len(rows) > count, below is not None)
    if found.is_text:
        return Page(rows, False, below is not None, searched_to=floor)
    rows = list(found.entries.filter(sequence__lt=top, sequence__gte=found.low).order_by("-sequence")[: count + 1])
    return Page(rows[:count], len(rows) > count, below is not None)


def newer(found: Search, above: int, count: int) -> Page:
    """Return the oldest entries above a sequence number, newest of them first."""
    bottom = max(above + 1, found.low)
    rows: list[Entry] = []
    for step in (*STEPS, None):
        ceiling = found.high if step is None else min(found.high, bottom + step)
        rows = list(found.entries.filter(sequence__gte=bottom, sequence__lt=ceiling).order_by("sequence")[: count + 1])
        if len(rows) > count or ceiling == found.high:
            break
        if found.is_text and step == MAX_SEARCHED_ENTRIES:
            break
    return Page(rows[:count][::-1], bool(rows), len(rows) > count)


def _has_text(text: str) -> Q:
    condition = Q()
    for name in ("text", "action", "service", "actor", "changes"):
        condition |= Q(**{f"{name}__icontains": text})
    return condition


def _of_kind(kind: str) -> Q:
    """The entries whose actor is a person, an identity of a cluster, the console, or not known."""
    outside, console = _in_group("outside"), Q(actor=CONSOLE_NAME, actor_id=None, ip="")
    kinds: dict[str, Q] = {
        ActorKind.PERSON: ~outside & ~console,
        ActorKind.CLUSTER: outside & ~Q(actor=""),
        ActorKind.CONSOLE: ~outside & console,
        ActorKind.UNKNOWN: outside & Q(actor=""),
    }
    return kinds.get(kind, Q(pk__in=()))


def group_of(action: str) -> str:
    """Return the one of GROUPS that the action belongs to; what was refused belongs with what was tried."""
    first = action.partition(".")[0]
    return next((group for group, words in GROUPS.items() if first in words), "")


def by_person(name: str) -> Q:
    """What a person did, also with tokens; not what a cluster's identity of the same name did."""
    return Q(actor=name) & ~_in_group("outside")


def of_person(name: str) -> Q:
    """What a person did, and what others did to them: rights, accounts, sessions, tokens, decisions on changes."""
    theirs = Entry.objects.filter(by_person(name), operation__isnull=False).order_by().values("operation")
    about = Q(text=name) | Q(text__startswith=f"{name} in ") | Q(text__startswith=f"{name}: ")
    of_theirs = Q(text__endswith=f" of {name}") | Q(text__startswith=f"a session of {name},")
    return (
        by_person(name)
        | Q(action__in=_names("manage.")) & about
        | Q(action__in=[*_names("session."), *_names("second-factor."), *_names("token.")]) & of_theirs
        | Q(action__in=[*_names("protect."), "operation.cancel"], operation__in=theirs)
    )


def _names(begin: str) -> list[str]:
    return [name for name in Action.objects.values_list("name", flat=True) if name.startswith(begin)]


def _of_operation(text: str) -> Q:
    try:
        return Q(operation=UUID(text))
    except ValueError:
        return Q(pk__in=())  # there is none of that name


def _in_group(group: str) -> Q:
    """The group's actions by their exact names, which an index finds whatever the database's collation is."""
    words = GROUPS.get(group, ())
    names = Action.objects.values_list("name", flat=True)
    return Q(action__in=[name for name in names if name.partition(".")[0] in words])


def first_from(moment: datetime) -> int | None:
    """The entry that comes first in time from the moment on."""
    return Entry.objects.filter(at__gte=moment).order_by("at").values_list("sequence", flat=True).first()


_LOOKUPS: Mapping[str, Callable[[str], Q]] = {
    "actor_kind": _of_kind,
    "person": of_person,
    "operation": _of_operation,
    "group": _in_group,
    "q": _has_text,
}
