"""A link with which a person sets their own password: nobody else ever knows it. Works once, for a day."""

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from console.access.models import User

SALT = "sluice.invitation"
SECONDS = 24 * 3600


def token(person: User) -> str:
    """Return a token for the link. It names the person and, as a hash, the state of the password that it replaces."""
    return signing.dumps([person.pk, _state(person)], salt=SALT)


def person_of(text: str, *, lock: bool = False) -> User | None:
    """Return whom the token invites; None for a forged, old or used one, and for a deactivated person.

    Setting the password uses the token up, as does a newer link: both change what the token names. With `lock` (in a
    transaction) the second of two who use the token at once waits for the first, and gets None.
    """
    try:
        key, state = signing.loads(text, salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    found = User.objects.select_for_update() if lock else User.objects.all()
    person = found.filter(pk=key, is_active=True).first()
    return person if person and constant_time_compare(state, _state(person)) else None


def _state(person: User) -> str:
    return salted_hmac(SALT, person.password, algorithm="sha256").hexdigest()
