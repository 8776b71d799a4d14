"""The words of an access review, and of rights at a moment."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.access import reviewing, reviews
from console.access.permissions import LABELS, Permission
from console.access.rights_history.holders import CHANGE

ASKED_PERMISSIONS: Mapping[str, str | Promise] = {
    CHANGE: gettext_lazy("change anything"),
    **{permission.value: LABELS[permission] for permission in Permission},
}
SOURCES: Mapping[str, Promise] = {
    reviewing.LOCAL: gettext_lazy("local account"),
    reviewing.PROVIDER: gettext_lazy("identity provider"),
    reviewing.INVITED: gettext_lazy("invited, no password yet"),
    reviewing.FIRST: gettext_lazy("first administrator"),
    reviewing.DEMO: gettext_lazy("demo"),
}
FACTORS: Mapping[str, Promise] = {
    "totp": gettext_lazy("authenticator app"),
    "webauthn": gettext_lazy("passkey or security key"),
    "recovery_codes": gettext_lazy("recovery codes"),
    reviewing.AT_PROVIDER: gettext_lazy("at the identity provider"),
}
STATES: Mapping[str, Promise] = {
    reviewing.ACTIVE: gettext_lazy("active"),
    reviewing.INACTIVE: gettext_lazy("deactivated"),
    "administrator": gettext_lazy("administrator"),
    "robot": gettext_lazy("used by a program"),
    "no-factor": gettext_lazy("without two-factor auth"),
    "no-rights": gettext_lazy("without any permission"),
}
DECISIONS: Mapping[str, Promise] = {
    reviews.KEPT: gettext_lazy("Keep everything"),
    reviews.REMOVE: gettext_lazy("To be removed (say what in the note)"),
    reviews.NOTED: gettext_lazy("Note only"),
}
DECIDED: Mapping[str, Promise] = {
    reviews.KEPT: gettext_lazy("kept"),
    reviews.REMOVE: gettext_lazy("to be removed"),
    reviews.NOTED: gettext_lazy("note"),
}
