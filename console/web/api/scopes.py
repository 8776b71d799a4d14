"""What lies in a token's scope: audit entries, asked of the database; and scopes of rules, freezes and grants."""

from django.db.models import QuerySet

from console.access.auditing import audits_in, reads_everything, visible_entries
from console.access.scopes import STAR, Scope, matches
from console.access.tokens import NarrowedRights
from console.audit.models import Entry, Place


def entries_within(rights: NarrowedRights) -> QuerySet[Entry]:
    """Return the entries that the page shows to the token's person, as far as the token's patterns match their object.

    Those about no service need a token for everywhere.
    """
    scope, found = rights.scope, visible_entries(rights.whole)
    for field, pattern in (("cluster", scope.cluster), ("namespace", scope.namespace)):
        if pattern != "*":
            found = found.filter(**_matching(field, pattern))
    return found if scope.is_everywhere else found.exclude(cluster="")


def reads(rights: NarrowedRights, scope: Scope) -> bool:
    """Whether the token's person may read the log of some of the scope, and the token's patterns meet it."""
    return Scope(rights.scope.cluster, rights.scope.namespace).overlaps(scope) and audits_in(rights.whole, scope)


def reads_all(rights: NarrowedRights) -> bool:
    """Whether both the person and the token read the log of everything, what is about no service included."""
    return rights.scope.is_everywhere and reads_everything(rights.whole)


def _matching(field: str, pattern: str) -> dict[str, str | list[str]]:
    """The lookup for a pattern, by the exact names that the log has.

    The same pattern as a regular expression would keep the database busy for hours: `*a*a*a*a*a*a*c`.
    """
    if STAR not in pattern:
        return {field: pattern}
    names = Place.objects.order_by().values_list(field, flat=True).distinct()
    return {f"{field}__in": [name for name in names if matches(pattern, name)]}
