"""The sentences of audit entries by action, with the facts that console.web.audit_sentences puts into them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

# who acted; object: what it is about; whose: who made the change; fields: its names in brackets; about: the entry's own
# text; first and second: its two halves; text: what of it no other part says, in the reader's language.
SENTENCES: Mapping[str, str | Promise] = {
    "account.connect": gettext_lazy("%(who)s connected an account of the identity provider"),
    "account.disconnect": gettext_lazy("%(who)s disconnected an account of the identity provider"),
    "account.password": gettext_lazy("%(who)s changed their password"),
    "audit.checkpoint": gettext_lazy("%(who)s downloaded a signed checkpoint of the audit log (%(text)s)"),
    "audit.download": gettext_lazy("%(who)s downloaded an audit export (%(about)s)"),
    "audit.export": gettext_lazy("%(who)s exported audit entries (%(about)s)"),
    "audit.hold-add": gettext_lazy("%(who)s placed a legal hold (%(about)s)"),
    "audit.hold-lift": gettext_lazy("%(who)s lifted a legal hold (%(about)s)"),
    "audit.redact": gettext_lazy("%(who)s redacted a field of an entry"),
    "audit.retain": gettext_lazy("%(who)s moved old entries to an archive"),
    "audit.retention": gettext_lazy("%(who)s changed how long entries and operations are kept"),
    "cluster.added": gettext_lazy("%(who)s added the cluster %(object)s"),
    "cluster.changed": gettext_lazy("%(who)s changed the connection of the cluster %(object)s"),
    "cluster.removed": gettext_lazy("%(who)s removed the cluster %(object)s"),
    "cluster.tested": gettext_lazy("%(who)s tested the connection of the cluster %(object)s"),
    "manage.ActivatePerson": gettext_lazy("%(who)s reactivated the account of %(about)s"),
    "manage.AddGrant": gettext_lazy("%(who)s granted a role to the team %(first)s (%(second)s)"),
    "manage.AddMember": gettext_lazy("%(who)s added %(first)s to the team %(second)s"),
    "manage.CreatePerson": gettext_lazy("%(who)s created the account of %(about)s"),
    "manage.CreateRole": gettext_lazy("%(who)s created the role %(about)s"),
    "manage.CreateTeam": gettext_lazy("%(who)s created the team %(about)s"),
    "manage.DeactivatePerson": gettext_lazy("%(who)s deactivated the account of %(about)s"),
    "manage.DeleteRole": gettext_lazy("%(who)s deleted the role %(about)s"),
    "manage.DeleteTeam": gettext_lazy("%(who)s deleted the team %(about)s"),
    "manage.EditMember": gettext_lazy("%(who)s changed the membership of %(first)s in the team %(second)s"),
    "manage.EditRole": gettext_lazy("%(who)s changed the role %(about)s"),
    "manage.EditTeam": gettext_lazy("%(who)s changed the team %(about)s"),
    "manage.FirstAdministrator": gettext_lazy("%(who)s became the first administrator"),
    "manage.FirstAdministratorLink": gettext_lazy("%(who)s made the link for the first administrator"),
    "manage.MakeAdministrator": gettext_lazy("%(who)s made %(about)s an administrator"),
    "manage.NewPasswordLink": gettext_lazy("%(who)s made a new password link for %(about)s"),
    "manage.RemoveGrant": gettext_lazy("%(who)s removed a grant from the team %(first)s (%(second)s)"),
    "manage.RemoveMember": gettext_lazy("%(who)s removed %(first)s from the team %(second)s"),
    "manage.Reseal": gettext_lazy("%(who)s encrypted stored secrets with the newest key"),
    "manage.UnmakeAdministrator": gettext_lazy("%(who)s removed %(about)s as an administrator"),
    "operation.cancel": gettext_lazy("%(who)s cancelled %(whose)s's change of %(object)s%(fields)s"),
    "operation.written-late": gettext_lazy(
        "A change of %(object)s by %(who)s was written after it had ended%(fields)s"
    ),
    "outside.begin": gettext_lazy("The console started to record external changes on %(object)s (%(text)s)"),
    "outside.change": gettext_lazy("%(who)s changed %(object)s outside the console%(fields)s"),
    "outside.create": gettext_lazy("%(who)s created %(object)s outside the console"),
    "outside.delete": gettext_lazy("%(who)s deleted %(object)s outside the console"),
    "outside.gone": gettext_lazy(
        "%(object)s was deleted while nothing was recorded: outside the console, or before its database was restored"
    ),
    "outside.unrecorded": gettext_lazy("%(who)s changed %(object)s with a console that has no record of it%(fields)s"),
    "protect.acknowledge": gettext_lazy(
        "%(who)s acknowledged that another tool owns %(object)s, and changed it%(fields)s"
    ),
    "protect.approve": gettext_lazy("%(who)s approved %(whose)s's change of %(object)s%(fields)s"),
    "protect.decline": gettext_lazy("%(who)s declined %(whose)s's change of %(object)s%(fields)s"),
    "protect.expire": gettext_lazy("%(whose)s's change of %(object)s expired without approval%(fields)s"),
    "protect.frozen": gettext_lazy("%(who)s tried to change %(object)s during a freeze and was denied"),
    "protect.locked": gettext_lazy("%(who)s tried to change %(object)s, which another tool owns, and was denied"),
    "protect.separated": gettext_lazy(
        "%(who)s tried to decide on %(whose)s's change of %(object)s and was denied by a rule%(fields)s"
    ),
    "protect.override": gettext_lazy("%(who)s used the emergency override to change %(object)s%(fields)s"),
    "protect.request": gettext_lazy("%(who)s requested approval to change %(object)s%(fields)s"),
    "protect.rule-add": gettext_lazy("%(who)s added a protection rule (%(about)s)"),
    "protect.rule-change": gettext_lazy("%(who)s changed a protection rule (%(about)s)"),
    "protect.rule-remove": gettext_lazy("%(who)s removed a protection rule (%(about)s)"),
    "protect.window-add": gettext_lazy("%(who)s added a freeze (%(about)s)"),
    "protect.window-change": gettext_lazy("%(who)s changed a freeze (%(about)s)"),
    "protect.window-remove": gettext_lazy("%(who)s removed a freeze (%(about)s)"),
    "protect.withdraw": gettext_lazy("%(who)s withdrew their request to change %(object)s%(fields)s"),
    "read.audit": gettext_lazy("%(who)s read the audit log"),
    "read.audit-more": gettext_lazy("%(who)s read the audit log again (%(text)s)"),
    "read.logs": gettext_lazy("%(who)s read container logs of %(object)s (%(text)s)"),
    "read.logs-more": gettext_lazy("%(who)s read container logs of %(object)s again (%(text)s)"),
    "reveal.Approval": gettext_lazy("%(who)s saw values of %(object)s while approving (%(text)s)"),
    "reveal.Decision": gettext_lazy("%(who)s saw values of a decided change of %(object)s (%(text)s)"),
    "reveal.Env": gettext_lazy("%(who)s revealed values of %(object)s (%(text)s)"),
    "reveal.Preview": gettext_lazy("%(who)s saw values of %(object)s on a preview (%(text)s)"),
    "rights.review": gettext_lazy("%(who)s reviewed who has access (%(text)s)"),
    "rights.snapshot": gettext_lazy("%(who)s recorded the permissions of all people (%(text)s)"),
    "second-factor.add": gettext_lazy("%(who)s added a two-factor method (%(text)s)"),
    "second-factor.remove": gettext_lazy("%(who)s removed a two-factor method (%(text)s)"),
    "session.SetPassword": gettext_lazy("%(who)s set a password through an invitation"),
    "session.revoke": gettext_lazy("%(who)s ended sessions (%(text)s)"),
    "session.sign-in": gettext_lazy("%(who)s signed in"),
    "session.sign-out": gettext_lazy("%(who)s signed out"),
    "token.create": gettext_lazy("%(who)s created an API token (%(text)s)"),
    "token.refused": gettext_lazy("%(who)s used an API token that is not valid and was denied"),
    "token.revoke": gettext_lazy("%(who)s revoked an API token (%(text)s)"),
    "view.AccessTest": gettext_lazy("%(who)s started test requests to %(object)s (%(text)s)"),
    "view.AccessTestEnd": gettext_lazy("Test requests to %(object)s by %(who)s ended (%(text)s)"),
}
WHEN_REFUSED: Mapping[str, str | Promise] = {
    "session.sign-in": gettext_lazy("%(who)s tried to sign in and was denied"),
    "manage.refused": gettext_lazy("%(who)s was not allowed to change the protection of %(about)s"),
}
WHEN_FAILED: Mapping[str, str | Promise] = {
    "cluster.tested": gettext_lazy("%(who)s tested the connection of the cluster %(object)s: it failed"),
}
CHANGE = gettext_lazy("%(who)s changed %(object)s: %(what)s%(fields)s")
ENDED = gettext_lazy("%(who)s's change of %(object)s ended: %(what)s, %(status)s%(fields)s")
DENIED = gettext_lazy("%(who)s tried this and was denied: “%(action)s” (%(about)s)")
OWN_CHANGE = gettext_lazy("%(who)s tried to decide on their own change of %(object)s and was denied%(fields)s")
NOT_ALLOWED = gettext_lazy("%(who)s was not allowed to %(permission)s")
NOT_ALLOWED_ON = gettext_lazy("%(who)s was not allowed to %(permission)s: %(object)s")
UNKNOWN = gettext_lazy("%(who)s did %(code)s")
UNKNOWN_ON = gettext_lazy("%(who)s did %(code)s on %(object)s")
