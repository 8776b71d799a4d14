"""Finding a service, a revision, a page or an action by a few letters: the palette's answers.

Only names are searched, never values. What a person may not see is not found, and costs no more than what they may.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.summaries import ServiceSummary
from console.web import actions
from console.web.actions import service_url

MAX_SERVICES = 8
MAX_REVISIONS = 5
MAX_ACTIONS = 6
MAX_QUERY = 200  # characters
MAX_WORDS = 5
ROLLS_BACK = "revisions"  # the page from whose list one goes back to an earlier one
ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Index:
    """The services of a cluster by `name namespace`, in that order, and by their names."""

    rows: tuple[ServiceSummary, ...]
    entries: tuple[tuple[str, ServiceSummary], ...]
    by_name: dict[str, list[ServiceSummary]]

    @classmethod
    def of(cls, rows: tuple[ServiceSummary, ...]) -> "Index":
        by_name: dict[str, list[ServiceSummary]] = {}
        for row in rows:
            by_name.setdefault(row.name, []).append(row)
        entries = sorted(((f"{row.name} {row.namespace}".lower(), row) for row in rows), key=lambda entry: entry[0])
        return cls(rows, tuple(entries), by_name)


_indexes: dict[str, Index] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: what it is called, where it leads, and what tells it from others of its name."""

    label: str
    url: str
    icon: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found, by kind."""

    services: tuple[Found, ...] = ()
    revisions: tuple[Found, ...] = ()
    actions: tuple[Found, ...] = ()
    pages: tuple[Found, ...] = ()

    @property
    def groups(self) -> list[tuple[str, tuple[Found, ...]]]:
        named = [
            (_("Services"), self.services),
            (_("Revisions"), self.revisions),
            (_("Actions"), self.actions),
            (_("Pages"), self.pages),
        ]
        return [(name, found) for name, found in named if found]


def search(text: str, rights: Rights) -> Answers:
    """Return what the person may open whose name has the text; `traffic shop` is an action and a service."""
    text = text.strip().lower()[:MAX_QUERY]
    if not text:
        return Answers(pages=tuple(_pages(rights, "")))
    rows = list(islice(_services(text, rights), MAX_SERVICES))
    return Answers(
        services=tuple(Found(row.name, service_url("service", row.ref), "box-seam", _place(row.ref)) for row in rows),
        revisions=tuple(islice(_revisions(text, rights), MAX_REVISIONS)),
        actions=tuple(islice(_actions(text, rights, rows), MAX_ACTIONS)),
        pages=tuple(_pages(rights, text)),
    )


def _services(text: str, rights: Rights) -> Iterator[ServiceSummary]:
    """The services that the person may see: those that begin with the text, then those that have it anywhere."""
    may_see = _sight(rights)
    having = [entry for index in _indexes_now() for entry in index.entries if text in entry[0]]
    having.sort(key=lambda entry: not entry[0].startswith(text))
    return (row for _key, row in having if may_see(row))


def _indexes_now() -> list[Index]:
    """What is searched of each cluster; made again when its mirror has changed."""
    return [_index_of(cluster) for cluster in read.clusters()]


def _index_of(cluster: str) -> Index:
    rows = read.services(cluster)
    known = _indexes.get(cluster)
    if known is None or known.rows is not rows:
        known = _indexes[cluster] = Index.of(rows)
    return known


def _sight(rights: Rights) -> Callable[[ServiceSummary], bool]:
    """Whether a service may be seen, decided once for a namespace: labels can only add to what is seen there."""
    by_place: dict[tuple[str, str], bool] = {}
    has_selectors = any(right.selector for right in rights.rights)

    def may_see(row: ServiceSummary) -> bool:
        place = (row.cluster, row.namespace)
        if place not in by_place:
            by_place[place] = rights.allows(Permission.VIEW, row.ref, {})
        return by_place[place] or (has_selectors and rights.allows(Permission.VIEW, row.ref, row.labels))

    return may_see


def _revisions(text: str, rights: Rights) -> Iterator[Found]:
    """The revisions of services whose name the text begins with: `shop-00` finds those of shop."""
    may_see = _sight(rights)
    names = [text[:place] for place, letter in enumerate(text) if letter == "-"]
    for row in (row for index in _indexes_now() for name in names for row in index.by_name.get(name, ())):
        for revision in sorted(read.revision_names(row.ref), reverse=True) if may_see(row) else ():
            if text in revision:
                url = service_url("revision", row.ref, revision=revision)
                yield Found(revision, url, "layers", _place(row.ref))


def _actions(text: str, rights: Rights, rows: Iterable[ServiceSummary]) -> Iterator[Found]:
    """What can be done with the first service that is found, or with the one that follows an action's name."""
    first = next(iter(rows), None)
    if first is not None:
        yield from _actions_on(first, "", rights)
        return
    words = text.split()[:MAX_WORDS]
    for place in range(1, len(words)):
        begin, end = " ".join(words[:place]), " ".join(words[place:])
        for verb, name in ((begin, end), (end, begin)):
            named = next(_services(name, rights), None)
            if named is not None:
                yield from _actions_on(named, verb, rights)


def _actions_on(row: ServiceSummary, verb: str, rights: Rights) -> Iterator[Found]:
    for action in actions.allowed(row.ref, rights.on(row.ref, row.labels)):
        if verb in action.label.lower() or verb in action.name or (action.name == ROLLS_BACK and _is_rollback(verb)):
            label = _("%(action)s: %(service)s") % {"action": action.label, "service": row.name}
            yield Found(label, action.url, action.icon or "arrow-right", _place(row.ref))


def _is_rollback(verb: str) -> bool:
    return verb in ("rollback", "roll back", _("Roll back").lower())


def _pages(rights: Rights, text: str) -> Iterator[Found]:
    for label, view, icon, permission in _table():
        if text in label.lower() and _may_open(rights, permission):
            yield Found(label, reverse(view), icon)


def _may_open(rights: Rights, permission: Permission | str) -> bool:
    if permission == ADMINISTRATOR:
        return rights.is_administrator
    return permission == "" or rights.allows(permission)


def _table() -> list[tuple[str, str, str, Permission | str]]:
    """The pages that belong to no service: name, address, icon, and what opens it."""
    return [
        (_("Services"), "services", "grid", ""),
        (_("Revisions"), "all-revisions", "layers", ""),
        (_("Create service"), "create", "plus-lg", Permission.DEPLOY),
        (_("Bulk edit"), "bulk", "check2-square", ""),
        (_("Operations"), "operations", "activity", ""),
        (_("Activity"), "activity", "bar-chart", ""),
        (_("Approvals"), "approvals", "person-check", ""),
        (_("Protection"), "protection", "shield-lock", Permission.MANAGE),
        (_("Audit"), "audit", "journal-text", Permission.AUDIT),
        (_("Teams"), "teams", "people", ""),
        (_("Roles"), "roles", "person-badge", ""),
        (_("People"), "people", "person", ADMINISTRATOR),
        (_("Access checker"), "why", "question-circle", ""),
        (_("Clusters"), "clusters", "hdd-network", ADMINISTRATOR),
        (_("API tokens"), "tokens", "key", ""),
        ("API", "api", "braces", ""),
        (_("Two-factor auth"), "mfa_index", "phone", ""),
        (_("Sessions"), "usersessions_list", "window", ""),
    ]


def _place(ref: ServiceRef) -> str:
    return f"{ref.cluster}/{ref.namespace}"
