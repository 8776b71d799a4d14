"""Personal tokens for the API: how they look, how they are kept, what they allow."""

import hashlib
import secrets
import string
import zlib
from collections.abc import Collection, Hashable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import timedelta

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from console import audit
from console.access.actors import Actor
from console.access.authorization import Rights, rights_of
from console.access.models import ApiToken, User
from console.access.permissions import Permission
from console.access.scopes import matches
from console.audit import Outcome
from console.knative.references import ServiceRef

SCHEME = "sluice_"
SECRET_LENGTH, CHECKSUM_LENGTH, SHOWN_LENGTH = 40, 6, 5  # characters; 40 of 62 letters are 238 bits
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
# The API only reads: a token can hold no other permission, whatever its person may do.
PERMISSIONS = (Permission.VIEW, Permission.AUDIT)


class NotOffered(Exception):
    """Such a token cannot be created: it would last too long, or allow more than its owner may do."""


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What a token was made for: some permissions, where the patterns match."""

    permissions: frozenset[str]
    cluster: str = "*"
    namespace: str = "*"

    def covers(self, ref: ServiceRef) -> bool:
        return matches(self.cluster, ref.cluster) and matches(self.namespace, ref.namespace)

    @property
    def is_everywhere(self) -> bool:
        return (self.cluster, self.namespace) == ("*", "*")

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.permissions))} on {self.cluster}/{self.namespace}"


class NarrowedRights(Rights):
    """What a token allows at this moment: the person's rights as they are now (`whole`), within the token's scope.

    Code that bypasses `allows` gets nothing: it is not an administrator's and has no grants.
    """

    def __init__(self, user: User, whole: Rights, scope: TokenScope) -> None:
        super().__init__(user, ())
        self.whole, self.scope = whole, scope
        self.is_administrator = False

    def allows(self, permission: str, ref: ServiceRef | None = None, labels: Mapping[str, str] | None = None) -> bool:
        """Whether both the person and the scope allow it; without `ref`, each of them anywhere."""
        is_in_scope = permission in self.scope.permissions and (ref is None or self.scope.covers(ref))
        return is_in_scope and self.whole.allows(permission, ref, labels)

    @property
    def sight(self) -> Hashable:
        return self.scope, self.whole.sight

    def within(self, cluster: str, namespace: str) -> "NarrowedRights":
        """Return what of the rights may hold in the namespace; the scope decides as before."""
        found = copy(self)
        found.whole = self.whole.within(cluster, namespace)
        return found

    def reaches(self, cluster: str) -> bool:
        """Whether the token may see anything of the cluster."""
        person = self.whole
        return matches(self.scope.cluster, cluster) and (
            person.is_administrator
            or any(Permission.VIEW in one.permissions and matches(one.cluster, cluster) for one in person.rights)
        )


def scope_of(token: ApiToken) -> TokenScope:
    return TokenScope(frozenset(token.permissions) & frozenset(PERMISSIONS), token.cluster, token.namespace)


def rights_with(token: ApiToken) -> NarrowedRights:
    """Return what the token allows now: grants that were taken from its person are gone from it too."""
    return NarrowedRights(token.user, rights_of(token.user), scope_of(token))


def offered(rights: Rights) -> tuple[Permission, ...]:
    """Return the permissions that a person can give to a token: those that the person has somewhere."""
    return tuple(permission for permission in PERMISSIONS if rights.allows(permission))


def issue(
    user: User, *, name: str, permissions: Collection[str], cluster: str, namespace: str, days: int, actor: Actor
) -> tuple[ApiToken, str]:
    """Make a token; returns it and its text, which is known at this moment only.

    Raises NotOffered for more days than the settings allow, and for permissions that the person does not have.
    """
    if not 1 <= days <= settings.TOKEN_MAX_DAYS:
        raise NotOffered(days)
    if not permissions or not set(permissions) <= set(offered(rights_of(user))):
        raise NotOffered(sorted(permissions))
    text = new_text()
    token = ApiToken(
        user=user,
        name=name,
        prefix=text[: len(SCHEME) + SHOWN_LENGTH],
        digest=digest(text),
        permissions=sorted(permissions),
        cluster=cluster,
        namespace=namespace,
        expires_at=timezone.now() + timedelta(days=days),
    )
    with transaction.atomic():
        token.save(force_insert=True)
        told = f"{_told(token)}, {scope_of(token)}, until {token.expires_at:%Y-%m-%d}"
        audit.record("token.create", actor=actor, outcome=Outcome.SUCCEEDED, text=told)
    return token, text


def revoke(token: ApiToken, *, actor: Actor) -> bool:
    """End the token: the next request with it is refused. Returns False when somebody had revoked it before."""
    with transaction.atomic():
        alive = ApiToken.objects.filter(id=token.id, revoked_at=None)
        if not alive.update(revoked_at=timezone.now(), revoked_by=actor.name):
            return False
        whose = f"{_told(token)} of {token.user.get_username()}"
        audit.record("token.revoke", actor=actor, outcome=Outcome.SUCCEEDED, text=whose)
    return True


def needs_sign_in(user: User) -> bool:
    """Whether the person's tokens rest until the next sign-in at the identity provider.

    Who leaves is switched off there, and nobody tells the console. Not so for somebody with a password here, whose
    account the provider does not end.
    """
    if user.has_usable_password():
        return False
    newest = SocialAccount.objects.filter(user=user).order_by("-last_login").first()
    return newest is not None and newest.last_login < timezone.now() - timedelta(days=settings.OIDC_TOKEN_DAYS)


def new_text() -> str:
    """Return a new token: `sluice_`, 40 random letters, and a checksum by which people and scanners know a real one."""
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return f"{SCHEME}{secret}{_checksum(secret)}"


def is_well_formed(text: str) -> bool:
    """Whether the text can be a token of ours at all: answered without the database."""
    secret, checksum = text[len(SCHEME) : -CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    has_form = text.startswith(SCHEME) and len(secret) == SECRET_LENGTH and text.isascii()
    return has_form and checksum == _checksum(secret)


def digest(text: str) -> str:
    """Return what is kept of a token: its SHA-256.

    A password's slow, salted hash defends guessable secrets. A token has 238 random bits, so nobody can try them all,
    and a plain hash is found through an index. It has no key, so that rotating keys ends no token.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def _told(token: ApiToken) -> str:
    """The token as the audit log names it."""
    return f"{token.name} ({token.prefix}…)"


def _checksum(secret: str) -> str:
    number, letters = zlib.crc32(secret.encode()), []
    for _ in range(CHECKSUM_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(reversed(letters))
