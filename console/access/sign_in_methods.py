"""How the person of a request signed in, from what allauth notes in the session."""

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.http import HttpRequest

from console.counters import SignInMethod

_METHODS = {"password": SignInMethod.PASSWORD, "socialaccount": SignInMethod.SINGLE_SIGN_ON}


# What allauth calls a second factor by its type (allauth.mfa.models.Authenticator.Type).
_FACTORS = {"totp": "totp", "recovery_codes": "recovery-codes", "webauthn": "webauthn"}


def told(request: HttpRequest) -> str:
    """Return method and factor as entries of the log say them: `method oidc:corporate, factor totp`."""
    method, records = method_of(request), request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    provider = next((one.get("provider", "") for one in reversed(records) if one.get("method") == "socialaccount"), "")
    name = f"oidc:{provider}" if method is SignInMethod.SINGLE_SIGN_ON and provider else method.value
    factors = [one.get("type", "") for one in records if one.get("method") == "mfa" and not one.get("passwordless")]
    return f"method {name}, factor {_FACTORS.get(factors[-1], factors[-1]) if factors else 'none'}"


def method_of(request: HttpRequest) -> SignInMethod:
    """Return what the person proved last, apart from a second factor. Nothing noted: a link let them in."""
    for noted in reversed(request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []):
        if noted.get("passwordless"):
            return SignInMethod.PASSKEY
        if found := _METHODS.get(noted.get("method", "")):
            return found
    return SignInMethod.LINK
