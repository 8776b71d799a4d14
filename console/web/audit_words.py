"""What an entry of the log says that somebody did, in words. The codes are what exports and filters have."""

import re
from collections.abc import Mapping
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.access.permissions import CHANGING, LABELS
from console.audit.models import Action, Entry
from console.knative.causes import Code
from console.operations.models.statuses import Status
from console.operations.queries import Made
from console.web import audit_texts, causes
from console.web.words import KINDS

ACTIONS: Mapping[str, str | Promise] = {
    "account.connect": gettext_lazy("Connected an account of the identity provider"),
    "account.disconnect": gettext_lazy("Disconnected an account of the identity provider"),
    "account.password": gettext_lazy("Changed the password"),
    "audit.checkpoint": gettext_lazy("Made a signed checkpoint of the audit log"),
    "audit.download": gettext_lazy("Downloaded an audit export"),
    "audit.export": gettext_lazy("Exported audit entries"),
    "audit.hold-add": gettext_lazy("Placed a legal hold"),
    "audit.hold-lift": gettext_lazy("Lifted a legal hold"),
    "audit.redact": gettext_lazy("Redacted a field of an entry"),
    "audit.retain": gettext_lazy("Moved old entries to the archive"),
    "audit.retention": gettext_lazy("Changed how long entries and operations are kept"),
    "cluster.added": gettext_lazy("Added a cluster"),
    "cluster.changed": gettext_lazy("Changed a cluster"),
    "cluster.removed": gettext_lazy("Removed a cluster"),
    "cluster.tested": gettext_lazy("Tested a cluster's connection"),
    "manage.ActivatePerson": gettext_lazy("Reactivated an account"),
    "manage.AddGrant": gettext_lazy("Granted a role to a team"),
    "manage.AddMember": gettext_lazy("Added a person to a team"),
    "manage.CreatePerson": gettext_lazy("Created an account"),
    "manage.CreateRole": gettext_lazy("Created a role"),
    "manage.CreateTeam": gettext_lazy("Created a team"),
    "manage.DeactivatePerson": gettext_lazy("Deactivated an account"),
    "manage.DeleteRole": gettext_lazy("Deleted a role"),
    "manage.DeleteTeam": gettext_lazy("Deleted a team"),
    "manage.EditMember": gettext_lazy("Changed a team membership"),
    "manage.EditRole": gettext_lazy("Changed a role"),
    "manage.EditTeam": gettext_lazy("Changed a team"),
    "manage.FirstAdministrator": gettext_lazy("Created the first administrator"),
    "manage.FirstAdministratorLink": gettext_lazy("Made the link for the first administrator"),
    "manage.MakeAdministrator": gettext_lazy("Made a person an administrator"),
    "manage.NewPasswordLink": gettext_lazy("Reset a password link"),
    "manage.RemoveGrant": gettext_lazy("Removed a grant from a team"),
    "manage.RemoveMember": gettext_lazy("Removed a person from a team"),
    "manage.Reseal": gettext_lazy("Encrypted stored secrets with the newest key"),
    "manage.UnmakeAdministrator": gettext_lazy("Removed an administrator"),
    "outside.begin": gettext_lazy("Started to record external changes"),
    "outside.change": gettext_lazy("Changed the service outside the console"),
    "outside.create": gettext_lazy("Created the service outside the console"),
    "outside.delete": gettext_lazy("Deleted the service outside the console"),
    "outside.gone": gettext_lazy("Found the service deleted after a time without records"),
    "outside.unrecorded": gettext_lazy("Changed the service with a console that has no record of it (restored backup)"),
    "protect.expire": gettext_lazy("A request for approval expired"),
    "protect.frozen": gettext_lazy("Tried a change during a freeze"),
    "protect.rule-add": gettext_lazy("Added a protection rule"),
    "protect.rule-change": gettext_lazy("Changed a protection rule"),
    "protect.rule-remove": gettext_lazy("Removed a protection rule"),
    "protect.window-add": gettext_lazy("Added a freeze"),
    "protect.separated": gettext_lazy("Kept from deciding by separation of duties"),
    "protect.locked": gettext_lazy("Refused: another tool owns the service"),
    "protect.window-change": gettext_lazy("Changed a freeze"),
    "protect.window-remove": gettext_lazy("Removed a freeze"),
    "read.audit": gettext_lazy("Read the audit log"),
    "read.audit-more": gettext_lazy("Read the audit log again"),
    "read.logs": gettext_lazy("Read container logs"),
    "read.logs-more": gettext_lazy("Read container logs again"),
    "reveal.Approval": gettext_lazy("Saw values while approving"),
    "reveal.Decision": gettext_lazy("Saw values of a decided change"),
    "reveal.Env": gettext_lazy("Revealed environment variable values"),
    "reveal.Preview": gettext_lazy("Saw values on a preview"),
    "rights.review": gettext_lazy("Reviewed who has access"),
    "rights.snapshot": gettext_lazy("Recorded the permissions of all people"),
    "second-factor.add": gettext_lazy("Added a two-factor method"),
    "second-factor.remove": gettext_lazy("Removed a two-factor method"),
    "session.SetPassword": gettext_lazy("Set a password by an invitation"),
    "session.revoke": gettext_lazy("Ended sessions"),
    "session.sign-in": gettext_lazy("Signed in"),
    "session.sign-out": gettext_lazy("Signed out"),
    "token.create": gettext_lazy("Created an API token"),
    "token.refused": gettext_lazy("Used an API token that is not valid"),
    "token.revoke": gettext_lazy("Revoked an API token"),
    "view.AccessTest": gettext_lazy("Started test requests"),
    "view.AccessTestEnd": gettext_lazy("Sent test requests"),
}
# About an operation, which somebody else may have made: `what` is its kind, `whose` its author.
ABOUT_OPERATIONS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "operation.cancel": (gettext_lazy("Cancelled a change"), gettext_lazy("Cancelled: %(what)s by %(whose)s")),
    "protect.approve": (gettext_lazy("Approved a change"), gettext_lazy("Approved: %(what)s by %(whose)s")),
    "protect.decline": (gettext_lazy("Declined a change"), gettext_lazy("Declined: %(what)s by %(whose)s")),
    "protect.acknowledge": (
        gettext_lazy("Acknowledged that another tool owns the service"),
        gettext_lazy("Acknowledged that another tool owns the service: %(what)s"),
    ),
    "protect.override": (
        gettext_lazy("Used the emergency override"),
        gettext_lazy("Used the emergency override: %(what)s"),
    ),
    "protect.request": (gettext_lazy("Requested approval"), gettext_lazy("Requested approval: %(what)s")),
    "protect.withdraw": (gettext_lazy("Withdrew a request"), gettext_lazy("Withdrew the request: %(what)s")),
}
KNOWN_ACTIONS = (
    *sorted((*ACTIONS, *ABOUT_OPERATIONS)),
    *(f"operation.{status}" for status in Status.values),
    *(f"{permission}.refused" for permission in LABELS),
    *(f"{permission}.{kind}" for permission in CHANGING for kind in KINDS),
)
_CAUSES = frozenset(Code)
_DECIDED = re.compile(r"^[A-Za-z]+ [0-9a-f]{16}(?:[0-9a-f]{48})? ?")


def is_action(code: str) -> bool:
    """Whether entries may have the action: one that this version writes, or that an older or newer one wrote."""
    return code in KNOWN_ACTIONS or Action.objects.filter(name=code).exists()


def action(entry: Entry, made: Mapping[UUID, Made]) -> str:
    """Return what was done: `Approved: Change image by dora`. An action of a later version keeps its code."""
    code = entry.action
    family, _dot, what = code.partition(".")
    if known := ABOUT_OPERATIONS.get(code):
        told = made.get(entry.operation) if entry.operation else None
        kind, author = (told.kind, told.author) if told else ("", "")
        return str(known[1]) % {"what": KINDS.get(kind, kind), "whose": author} if kind else str(known[0])
    if family == "operation":
        return _result(entry, what)
    if code in ACTIONS:
        return str(ACTIONS[code])
    if what == "refused" and family in LABELS:
        return _("Not allowed to %(what)s") % {"what": LABELS[family]}
    return str(KINDS.get(what, code))


def _result(entry: Entry, status: str) -> str:
    """How an operation ended. Its kind is the first word of the entry's text (console.operations.engine.finish)."""
    kind = entry.text.partition(" ")[0]
    word = str(Status(status).label) if status in Status.values else status
    if kind not in KINDS:
        return word
    if status == entry.outcome:  # the row says it
        return str(KINDS[kind])
    return _("%(what)s: %(status)s") % {"what": KINDS[kind], "status": word}


def text(entry: Entry) -> str:
    """Return the entry's own text, without what `action` has said.

    Of an operation's end its revision and the cause remain; of a decision about one (`SetImage 1d48aaef80436eb7 ...`,
    console.operations.protection.approvals) what follows the kind and the digest of what was shown.
    """
    if entry.action in ABOUT_OPERATIONS:
        return _DECIDED.sub("", entry.text)
    if not entry.action.startswith("operation."):
        return audit_texts.text(entry.action, entry.text)
    told = entry.text.split()
    words = told[1 if told[:1] and told[0] in KINDS else 0 :]
    said = " ".join(causes.short(word) if word in _CAUSES else word for word in words).strip()
    return audit_texts.text(entry.action, said)
