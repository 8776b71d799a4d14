"""Everything that a person did and what was done to them, on one page, by period and kind; with its files."""

from collections import Counter
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from console import periods
from console.access.auditing import visible_entries
from console.access.decorators import require_permission
from console.access.models import User
from console.access.permissions import Permission
from console.audit import searching
from console.audit.models import Entry
from console.operations import queries
from console.web import words
from console.web.requests import ConsoleRequest
from console.web.views.audit import paged

KEPT = ("group", *periods.FIELDS)  # of the address, in links and files


@require_permission(Permission.AUDIT)
def person(request: ConsoleRequest) -> HttpResponse:
    """The entries by and about the person that the address names, as far as the reader may read them."""
    name = request.GET.get("name", "").strip()[:200]
    kept = {key: value for key in KEPT if (value := request.GET.get(key, "").strip())}
    visible = visible_entries(request.rights)
    found = searching.search(visible if name else visible.none(), {**kept, "person": name})
    page = paged(request, found)
    whole = searching.search(visible if name else visible.none(), {**kept, "group": "", "person": name})
    is_asked = bool(name) and not found.problems
    context = {
        "name": name,
        "account": User.objects.filter(username=name).first() if request.rights.is_administrator else None,
        "page": page,
        "made": queries.made(one.operation for one in page.entries),
        "counts": _counts(whole.entries, name) if is_asked else [],
        "problems": found.problems,
        "query": urlencode({"person": name, **kept}),
        "group": kept.get("group", ""),
    }
    return render(request, "audit/person.html", context, status=422 if found.problems else 200)


def _counts(entries: QuerySet[Entry], name: str) -> list[tuple[str, str, int, int, int]]:
    """Kind, its name, and how many entries it has: by the person, of these denied or failed, and about them."""
    by, not_done, about = Counter[str](), Counter[str](), Counter[str]()
    rows = entries.order_by().values_list("action", "outcome", "actor").annotate(count=Count("sequence"))
    for action, outcome, actor, count in rows:
        group = searching.group_of(action)
        if actor != name:
            about[group] += count
            continue
        by[group] += count
        not_done[group] += count if outcome in ("refused", "failed") else 0
    known = [(group, str(word)) for group, word in words.AUDIT_GROUPS.items() if by[group] or about[group]]
    return [(group, word, by[group], not_done[group], about[group]) for group, word in known]
