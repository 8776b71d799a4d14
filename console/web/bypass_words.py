"""What pages say of what went round an approval."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.operations.protection.bypasses import Kind

KINDS: Mapping[Kind, str | Promise] = {
    Kind.OVERRIDE: gettext_lazy("Emergency override"),
    Kind.OUTSIDE: gettext_lazy("External change of a protected service"),
    Kind.RULE_REMOVED: gettext_lazy("Rule removed"),
    Kind.RULE_NARROWED: gettext_lazy("Rule narrowed"),
    Kind.FREEZE_REMOVED: gettext_lazy("Freeze removed"),
    Kind.FREEZE_NARROWED: gettext_lazy("Freeze narrowed"),
    Kind.ROLE_RAISED: gettext_lazy("Role raised"),
    Kind.RIGHTS_GIVEN: gettext_lazy("Permission to approve or manage given"),
    Kind.LOG_SHORTENED: gettext_lazy("Audit log shortened"),
}
