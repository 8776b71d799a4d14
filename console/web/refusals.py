"""Why the console does not do what a person asked, in words for people: the text of each class of a refusal.

Dispatched along the class's bases; one without a text fails a test.
"""

from collections.abc import Callable
from functools import singledispatch

from django import forms
from django.utils.translation import gettext, gettext_lazy

from console.access import refusals
from console.access.refusals import (
    Frozen,
    Impossible,
    LabelNotAllowed,
    NotAcknowledged,
    NotAllowed,
    NotRetriable,
    NotWaiting,
    OwnChange,
    OwnedElsewhere,
    PreviewGone,
    ReasonNeeded,
    Refusal,
    RuleBroken,
    Separated,
    TooLateToCancel,
    Undecryptable,
)
from console.web import words


@singledispatch
def text(refusal: Refusal) -> str:
    """Return the reason, with what to do; raises LookupError for a class that has none."""
    raise LookupError(f"{type(refusal).__name__} has no text")


@text.register
def _(refusal: NotAllowed) -> str:
    return gettext("You need the “%(permission)s” permission.") % {"permission": refusal}


@text.register
def _(refusal: LabelNotAllowed) -> str:
    return words.problem(refusal.problem)


@text.register
def _(_refusal: OwnChange) -> str:
    return gettext("You can't approve or decline your own change. Ask someone else who can approve.")


@text.register
def _(refusal: Separated) -> str:
    words = {
        "rights": gettext("The rule %(place)s keeps people who may make such changes from deciding on them."),
        "acted": gettext(
            "The rule %(place)s keeps people who changed services there in the last 90 days from deciding."
        ),
    }[refusal.why]
    return words % {"place": refusal.place}


@text.register
def _(_refusal: TooLateToCancel) -> str:
    return gettext("Too late to cancel: the change has been written. A rollback can undo it.")


@text.register
def _(_refusal: NotRetriable) -> str:
    return gettext("This operation cannot be retried.")


@text.register
def _(_refusal: NotWaiting) -> str:
    return gettext("Too late: this request has been decided or withdrawn, or has expired.")


@text.register
def _(_refusal: Undecryptable) -> str:
    return gettext("This change is encrypted with a key that the console no longer has. Make the change again.")


@text.register
def _(refusal: Frozen) -> str:
    sentence = words.frozen_until(refusal.until, refusal.note)
    return f"{refusal.ref.namespace}/{refusal.ref.name}: {sentence}"


@text.register
def _(refusal: OwnedElsewhere) -> str:
    sentence = gettext("%(service)s is locked: %(tool)s owns it and would undo the change. Make the change there.")
    named = {"service": f"{refusal.ref.namespace}/{refusal.ref.name}", "tool": refusal.tool}
    return " ".join(filter(None, (sentence % named, refusal.note)))


@text.register
def _(refusal: NotAcknowledged) -> str:
    named = {"service": f"{refusal.ref.namespace}/{refusal.ref.name}", "tool": refusal.tool}
    return gettext("%(service)s: tick the box to say that you know that %(tool)s will undo the change.") % named


@text.register
def _(_refusal: ReasonNeeded) -> str:
    return gettext("A reason is required.")


@text.register
def _(refusal: Impossible) -> str:
    return words.problem(refusal.problem)


@text.register
def _(_refusal: PreviewGone) -> str:
    return gettext("This preview was already submitted or has expired. Check the operations, or start again.")


@text.register
def _(refusal: RuleBroken) -> str:
    return str(_RULES[type(refusal)]) % vars(refusal)


def accepts(form: forms.BaseForm, change: Callable[[], object]) -> bool:
    """Make the change that a form asks for; False when a rule forbids it, and then the form says why and keeps all."""
    if not form.is_valid():
        return False
    try:
        change()
    except RuleBroken as refusal:
        field = next((name for name in _FIELDS.get(type(refusal), ()) if name in form.fields), None)
        form.add_error(field, text(refusal))
        return False
    return True


_RULES: dict[type[RuleBroken], object] = {
    refusals.NameTaken: gettext_lazy("“%(name)s” already exists. Choose another name."),
    refusals.AlreadyMember: gettext_lazy("%(name)s is already a member. Edit the membership in the table."),
    refusals.LastOwner: gettext_lazy(
        "%(name)s is the last permanent owner of %(team)s. Make someone else an owner without an expiry first."
    ),
    refusals.LongerThanYours: gettext_lazy(
        "Your ownership expires at %(until)s UTC, so members you add must expire by then. Choose an earlier time."
    ),
    refusals.LastAdministrator: gettext_lazy(
        "%(name)s is the last administrator who can sign in. Make someone else an administrator first."
    ),
    refusals.NoLink: gettext_lazy(
        "%(name)s does not need a link: they change their own password, or the identity provider manages it."
    ),
    refusals.MoreThanYouHave: gettext_lazy(
        "You can't grant permissions that you don't hold permanently: on %(scope)s you lack %(permissions)s. "
        "Choose a smaller role or scope, or ask an administrator."
    ),
    refusals.GrantedAlready: gettext_lazy("The team already has this grant."),
    refusals.Gone: gettext_lazy("Someone else deleted it in the meantime."),
    refusals.GrantOfOthers: gettext_lazy(
        "The team has a grant that you can't remove (%(grant)s; you lack %(permissions)s). Ask an administrator."
    ),
    refusals.RoleBeyondYou: gettext_lazy(
        "This role is granted where you lack %(permissions)s, so you can't change it. Ask an administrator."
    ),
    refusals.RoleOfOthers: gettext_lazy(
        "%(name)s is built in or was created by someone else, so only an administrator can change it. Create "
        "a role of your own instead."
    ),
    refusals.RoleBuiltIn: gettext_lazy(
        "%(name)s is built in: you can change its permissions, but not rename or delete it."
    ),
    refusals.RoleInUse: gettext_lazy("%(name)s is granted to teams. Remove those grants first."),
}
# Where a form shows it; a problem without a field is shown above the form.
_FIELDS: dict[type[RuleBroken], tuple[str, ...]] = {
    refusals.NameTaken: ("name", "username"),
    refusals.AlreadyMember: ("username",),
    refusals.LongerThanYours: ("expires_at", "oidc_group"),
    refusals.MoreThanYouHave: ("role",),
    refusals.GrantedAlready: ("role",),
    refusals.RoleBeyondYou: ("permissions",),
    refusals.RoleOfOthers: ("permissions",),
    refusals.RoleBuiltIn: ("name",),
}
