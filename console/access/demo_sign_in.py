"""Whom the sign-in page of a demo offers."""

from django.conf import settings

from console.access.demo import DEMO_USERS, DemoUser
from console.access.models import User


def sign_in_choices() -> tuple[DemoUser, ...]:
    """Return the people whom the sign-in page offers: those that `manage.py demo` made here, and nobody outside a demo.

    A demo listens on loopback only (console.start_checks), and its people cannot sign in where it is none.
    """
    if not settings.DEMO:
        return ()
    made = set(User.objects.filter(is_demo=True, is_active=True).values_list("username", flat=True))
    return tuple(user for user in DEMO_USERS if user.username in made)
