"""The first administrator is made through a link that works once, for an hour, and only while there is none."""

from django.core import signing

from console.access.models import User

SALT = "sluice.first-admin"
SECONDS = 3600


def needed() -> bool:
    """No active administrator exists yet."""
    return not User.objects.filter(is_superuser=True, is_active=True).exists()


def token() -> str:
    """Return a token for the link; it holds no secret, only the moment and our signature."""
    return signing.dumps("first-admin", salt=SALT)


def is_valid(text: str) -> bool:
    """Whether the token is ours, fresh, and still needed: its first use makes an administrator, so none follows."""
    try:
        return needed() and signing.loads(text, salt=SALT, max_age=SECONDS) == "first-admin"
    except signing.BadSignature:
        return False
