"""How the person of a request signed in, from what allauth notes in the session."""

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.http import HttpRequest

from console.counters import SignInMethod

_METHODS = {"password": SignInMethod.PASSWORD, "socialaccount": SignInMethod.SINGLE_SIGN_ON}


def method_of(request: HttpRequest) -> SignInMethod:
    """Return what the person proved last, apart from a second factor. Nothing noted: a link let them in."""
    for noted in reversed(request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []):
        if noted.get("passwordless"):
            return SignInMethod.PASSKEY
        if found := _METHODS.get(noted.get("method", "")):
            return found
    return SignInMethod.LINK
