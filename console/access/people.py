"""People with a local account: made, deactivated, made administrators. One administrator who can sign in stays."""

from allauth.socialaccount.models import SocialAccount

from console.access import invitations
from console.access.actors import Actor
from console.access.changing import Change, changing
from console.access.models import User
from console.access.permissions import Permission
from console.access.refusals import LastAdministrator, NameTaken, NoLink, NotAllowed


def create(username: str, *, user: User, actor: Actor) -> tuple[User, str]:
    """Make a person without a password; returns them and the token of the link with which they set one."""
    with changing("manage.CreatePerson", user=user, actor=actor, about=username) as change:
        _refuse_all_but_administrators(change)
        if User.objects.filter(username__iexact=username).exists():
            raise NameTaken(name=username)
        person = User(username=username)
        person.set_unusable_password()
        person.save()
        change.note("name", None, username)
    return person, invitations.token(person)


def set_active(person: User, is_active: bool, *, user: User, actor: Actor) -> None:
    """Let a person in, or out: their sessions end at the next request, their rights at once."""
    action = "manage.ActivatePerson" if is_active else "manage.DeactivatePerson"
    with changing(action, user=user, actor=actor, about=person.get_username()) as change:
        _refuse_all_but_administrators(change)
        person.refresh_from_db()
        if not is_active:
            _refuse_last_administrator(person)
        change.note("active", person.is_active, is_active)
        person.is_active = is_active
        person.save(update_fields=["is_active"])


def set_administrator(person: User, is_administrator: bool, *, user: User, actor: Actor) -> None:
    """Give or take every right."""
    action = "manage.MakeAdministrator" if is_administrator else "manage.UnmakeAdministrator"
    with changing(action, user=user, actor=actor, about=person.get_username()) as change:
        _refuse_all_but_administrators(change)
        person.refresh_from_db()
        if not is_administrator:
            _refuse_last_administrator(person)
        change.note("administrator", person.is_superuser, is_administrator)
        person.is_superuser = is_administrator
        person.save(update_fields=["is_superuser"])


def new_link(person: User, *, user: User, actor: Actor) -> str:
    """Take the person's password away and return the token of a link that sets a new one; former links are void.

    Their sessions end with the password. Nobody takes their own away, and people of the identity provider have none.
    """
    with changing("manage.NewPasswordLink", user=user, actor=actor, about=person.get_username()) as change:
        _refuse_all_but_administrators(change)
        person.refresh_from_db()
        _refuse_last_administrator(person)
        if person == change.user or not has_local_account(person):
            raise NoLink(name=person.get_username())
        change.note("password", "set" if person.has_usable_password() else None, "link")
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return invitations.token(person)


def has_local_account(person: User) -> bool:
    """Whether the person signs in here, and not through the identity provider."""
    return not SocialAccount.objects.filter(user=person).exists()


def named_by_provider(person: User) -> bool:
    """Whether the account came with a sign-in at the identity provider: nobody here gave its name or a password."""
    return not person.has_usable_password() and not has_local_account(person)


def _refuse_all_but_administrators(change: Change) -> None:
    if not change.rights.is_administrator:
        raise NotAllowed(Permission.MANAGE)


def _refuse_last_administrator(person: User) -> None:
    """Called before this person stops being one or being able to sign in: another, who can, must stay."""
    if not (person.is_superuser and person.is_active):
        return
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    if not any(other.has_usable_password() or not has_local_account(other) for other in others):
        raise LastAdministrator(name=person.get_username())
