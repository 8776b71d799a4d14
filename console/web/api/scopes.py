"""The audit entries that lie in a token's scope, asked of the database."""

import re

from django.db.models import QuerySet

from console.access.auditing import visible_entries
from console.access.tokens import NarrowedRights
from console.audit.models import Entry


def entries_within(rights: NarrowedRights) -> QuerySet[Entry]:
    """Return the entries that the page shows to the token's person, as far as the token's patterns match their object.

    Those about no service need a token for everywhere.
    """
    scope, found = rights.scope, visible_entries(rights.whole)
    for field, pattern in (("cluster", scope.cluster), ("namespace", scope.namespace)):
        if pattern != "*":
            found = found.filter(**_matching(field, pattern))
    return found if scope.is_everywhere else found.exclude(cluster="")


def _matching(field: str, pattern: str) -> dict[str, str]:
    """The lookup for a pattern in which only `*` is a wildcard."""
    if "*" not in pattern:
        return {field: pattern}
    return {f"{field}__regex": "^" + ".*".join(re.escape(part) for part in pattern.split("*")) + "$"}
