"""What pages say of decisions about changes, and of whether what was decided on is still what is stored."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.operations.protection.decisions import APPROVED, DECLINED, OVERRIDDEN, Match

NAMES: Mapping[str, str | Promise] = {
    APPROVED: gettext_lazy("Approval"),
    DECLINED: gettext_lazy("Refusal"),
    OVERRIDDEN: gettext_lazy("Emergency override"),
}
MATCHES: Mapping[Match, str | Promise] = {
    Match.SAME: gettext_lazy("Stored preview unchanged"),
    Match.DIFFERENT: gettext_lazy("Stored preview was changed"),
    Match.REMOVED: gettext_lazy("Preview removed by retention"),
    Match.MISSING: gettext_lazy("Preview missing"),
    Match.UNREADABLE: gettext_lazy("Preview cannot be decrypted"),
    Match.REDACTED: gettext_lazy("Digest redacted"),
    Match.ENTRY_CHANGED: gettext_lazy("Entry was changed"),
    Match.UNKNOWN: gettext_lazy("Cannot be compared"),
}
SENTENCES: Mapping[Match, str | Promise] = {
    Match.SAME: gettext_lazy("The digest of what is stored equals the one that the entry of the decision holds."),
    Match.DIFFERENT: gettext_lazy(
        "What is stored is not what was decided on: its digest differs from the one that the entry holds."
    ),
    Match.REMOVED: gettext_lazy(
        "The operation and its preview were removed after %(days)s days, as the retention of operations says. The entry"
        " and its digest remain."
    ),
    Match.MISSING: gettext_lazy(
        "The operation and its preview are not stored, although the retention of operations does not reach them yet."
    ),
    Match.UNREADABLE: gettext_lazy(
        "No key of this console decrypts the stored preview, so that it cannot be compared with the digest."
    ),
    Match.REDACTED: gettext_lazy("The text of the entry was redacted, and its digest with it."),
    Match.ENTRY_CHANGED: gettext_lazy("The entry of the decision is not what its hash says: it was changed."),
    Match.UNKNOWN: gettext_lazy(
        "An earlier version wrote a short digest over facts that have changed since, so that it proves nothing."
    ),
}
GOOD = frozenset({Match.SAME})
BAD = frozenset({Match.DIFFERENT, Match.MISSING, Match.ENTRY_CHANGED})
