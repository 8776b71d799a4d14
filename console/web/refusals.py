"""Why a change of people, teams, roles or grants was refused, in words for people, and beside which field."""

from collections.abc import Callable

from django import forms
from django.utils.translation import gettext_lazy

from console.access.changing import Refused

_WORDS = {
    "name-taken": gettext_lazy("“%(name)s” exists already; choose another name."),
    "already-member": gettext_lazy("%(name)s is a member already; change the membership in the table."),
    "last-owner": gettext_lazy(
        "%(name)s is the last owner of %(team)s who stays. Make somebody else an owner without an end first."
    ),
    "longer-than-yours": gettext_lazy(
        "You are an owner until %(until)s UTC, so nobody can stay longer through you. Choose an earlier end."
    ),
    "last-administrator": gettext_lazy(
        "%(name)s is the last administrator who can sign in. Make somebody else an administrator first."
    ),
    "no-link": gettext_lazy("%(name)s needs no link: the password is their own to change, or the identity provider's."),
    "more-than-you-have": gettext_lazy(
        "Nobody grants more than they have for good: on %(scope)s you lack %(permissions)s. "
        "Choose a smaller role or place, or ask an administrator."
    ),
    "granted-already": gettext_lazy("The team has this grant already."),
    "gone": gettext_lazy("Somebody else deleted it meanwhile."),
    "grant-of-others": gettext_lazy(
        "The team holds a grant that you could not take away (%(grant)s; you lack %(permissions)s). "
        "Ask an administrator."
    ),
    "role-beyond-you": gettext_lazy(
        "This role is granted where you lack %(permissions)s, so changing it is not yours. Ask an administrator."
    ),
    "role-of-others": gettext_lazy(
        "%(name)s is built in or was created by somebody else, so only an administrator can change it. "
        "Create a role of your own instead."
    ),
    "role-built-in": gettext_lazy("%(name)s is built in: its permissions can be changed, its name and existence not."),
    "role-in-use": gettext_lazy("%(name)s is granted to teams; take those grants away first."),
}
# Where a form shows it; what has no field stands above the form.
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
