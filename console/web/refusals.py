"""Why a change of people, teams, roles or grants was refused, in words for people, and beside which field."""

from collections.abc import Callable

from django import forms
from django.utils.translation import gettext_lazy

from console.access.changing import Refused

_WORDS = {
    "name-taken": gettext_lazy("“%(name)s” already exists. Choose another name."),
    "already-member": gettext_lazy("%(name)s is already a member. Edit the membership in the table."),
    "last-owner": gettext_lazy(
        "%(name)s is the last permanent owner of %(team)s. Make someone else an owner without an expiry first."
    ),
    "longer-than-yours": gettext_lazy(
        "Your ownership expires at %(until)s UTC, so members you add must expire by then. Choose an earlier time."
    ),
    "last-administrator": gettext_lazy(
        "%(name)s is the last administrator who can sign in. Make someone else an administrator first."
    ),
    "no-link": gettext_lazy(
        "%(name)s does not need a link: they change their own password, or the identity provider manages it."
    ),
    "more-than-you-have": gettext_lazy(
        "You can't grant permissions that you don't hold permanently: on %(scope)s you lack %(permissions)s. "
        "Choose a smaller role or scope, or ask an administrator."
    ),
    "granted-already": gettext_lazy("The team already has this grant."),
    "gone": gettext_lazy("Someone else deleted it in the meantime."),
    "grant-of-others": gettext_lazy(
        "The team has a grant that you can't remove (%(grant)s; you lack %(permissions)s). Ask an administrator."
    ),
    "role-beyond-you": gettext_lazy(
        "This role is granted where you lack %(permissions)s, so you can't change it. Ask an administrator."
    ),
    "role-of-others": gettext_lazy(
        "%(name)s is built in or was created by someone else, so only an administrator can change it. Create "
        "a role of your own instead."
    ),
    "role-built-in": gettext_lazy("%(name)s is built in: you can change its permissions, but not rename or delete it."),
    "role-in-use": gettext_lazy("%(name)s is granted to teams. Remove those grants first."),
}
# Where a form shows it; a problem without a field is shown above the form.
_FIELDS = {
    "name-taken": ("name", "username"),
    "already-member": ("username",),
    "longer-than-yours": ("expires_at", "oidc_group"),
    "more-than-you-have": ("role",),
    "granted-already": ("role",),
    "role-beyond-you": ("permissions",),
    "role-of-others": ("permissions",),
    "role-built-in": ("name",),
}


def words(refused: Refused) -> str:
    """Return the reason, with what to do."""
    return str(_WORDS[refused.code]) % refused.facts


def accepts(form: forms.BaseForm, change: Callable[[], object]) -> bool:
    """Make the change that a form asks for; False when it is refused, and then the form says why and keeps all."""
    if not form.is_valid():
        return False
    try:
        change()
    except Refused as refused:
        field = next((name for name in _FIELDS.get(refused.code, ()) if name in form.fields), None)
        form.add_error(field, words(refused))
        return False
    return True
