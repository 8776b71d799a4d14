"""The first administrator is made through a link that works once, for an hour, and only while there is none."""

from django.core import signing
from django.db import connection

from console.access.models import User

SALT = "sluice.first-admin"
SECONDS = 3600
_LOCK = 0x51_0C_E1  # any fixed number: PostgreSQL's advisory lock for using the link


def needed() -> bool:
    """No active administrator exists yet."""
    return not User.objects.filter(is_superuser=True, is_active=True).exists()


def token() -> str:
    """Return a token for the link; it holds no secret, only the moment and our signature."""
    return signing.dumps(_subject(), salt=SALT)


def is_valid(text: str) -> bool:
    """Whether the token is ours, fresh, and still needed: its first use makes an administrator, so none follows."""
    try:
        return needed() and signing.loads(text, salt=SALT, max_age=SECONDS) == _subject()
    except signing.BadSignature:
        return False


def one_at_a_time() -> None:
    """Let uses of links follow one another until the transaction ends (SQLite's writers are alone anyway)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _subject() -> str:
    """Differs with each administrator ever made: a used link does not return when that one is deactivated."""
    return f"first-admin:{User.objects.filter(is_superuser=True).count()}"
