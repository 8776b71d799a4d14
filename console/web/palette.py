"""Finding a service, a revision, a page or an action by a few letters: the palette's answers.

Only names are searched, never values. What a person may not see is not found, and costs no more than what they may.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.authorization import Rights
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import read
from console.mirror.overview import overview
from console.mirror.summaries import ServiceSummary
from console.web import actions, visible
from console.web.actions import service_url
from console.web.service_list import Filter

MAX_SERVICES = 8
MAX_REVISIONS = 5
MAX_ACTIONS = 6
MAX_QUERY = 200  # characters
MAX_WORDS = 5
ROLLS_BACK = "revisions"  # the page from whose list one goes back to an earlier one
ADMINISTRATOR = "administrator"


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
    seen = _seen(rights)
    rows = list(islice(_services(text, seen), MAX_SERVICES))
    return Answers(
        services=tuple(Found(row.name, service_url("service", row.ref), "box-seam", _place(row.ref)) for row in rows),
        revisions=tuple(islice(_revisions(text, seen), MAX_REVISIONS)),
        actions=tuple(islice(_actions(text, rights, rows, seen), MAX_ACTIONS)),
        pages=tuple(_pages(rights, text)),
    )


def _seen(rights: Rights) -> Sequence[ServiceSummary]:
    """What the person may see, by name: kept for the services list, and updated from what changes."""
    clusters = {name: at for name, at in overview().clusters.items() if rights.reaches(name)}
    return visible.in_order(rights, clusters, Filter(), "name")


def _services(text: str, seen: Sequence[ServiceSummary]) -> Iterator[ServiceSummary]:
    """The services that begin with the text, then those that have it anywhere, as far as anybody asks for them."""
    yield from takewhile(lambda row: _text_of(row).startswith(text), islice(seen, _place_of(text, seen), None))
    yield from (row for row in seen if text in _text_of(row) and not _text_of(row).startswith(text))


def _text_of(row: ServiceSummary) -> str:
    """What a service is found by; the cluster allows no capital letters in either."""
    return f"{row.name} {row.namespace}"


def _place_of(text: str, seen: Sequence[ServiceSummary]) -> int:
    """Where services whose text begins with this one are, or would be."""
    return bisect_left(seen, text, key=_text_of)


def _revisions(text: str, seen: Sequence[ServiceSummary]) -> Iterator[Found]:
    """The revisions of services whose name the text begins with: `shop-00` finds those of shop."""
    names = [text[:place] for place, letter in enumerate(text) if letter == "-"]
    for row in (row for name in names for row in _named(name, seen)):
        for revision in sorted(read.revision_names(row.ref), reverse=True):
            if text in revision:
                url = service_url("revision", row.ref, revision=revision)
                yield Found(revision, url, "layers", _place(row.ref))


def _named(name: str, seen: Sequence[ServiceSummary]) -> Iterator[ServiceSummary]:
    return takewhile(lambda row: row.name == name, islice(seen, _place_of(f"{name} ", seen), None))


def _actions(
    text: str, rights: Rights, rows: Iterable[ServiceSummary], seen: Sequence[ServiceSummary]
) -> Iterator[Found]:
    """What can be done with the first service that is found, or with the one that follows an action's name."""
    first = next(iter(rows), None)
    if first is not None:
        yield from _actions_on(first, "", rights)
        return
    words = text.split()[:MAX_WORDS]
    for place in range(1, len(words)):
        begin, end = " ".join(words[:place]), " ".join(words[place:])
        for verb, name in ((begin, end), (end, begin)):
            named = next(_services(name, seen), None)
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
