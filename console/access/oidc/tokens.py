"""What a token must prove before it signs anybody in or out (OpenID Connect Core, 3.1.3.7)."""

import time
from typing import Any

import jwt
from django.utils.crypto import constant_time_compare, salted_hmac

from console.texts import storable

# Signed with the provider's private key: "none" and keys that both sides know prove nothing.
ALGORITHMS = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA"]
LEEWAY_SECONDS = 30  # clocks differ
LOGOUT_SECONDS = 120  # a logout token comes at once
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_REQUIRED = ["iss", "aud", "iat"]


class UntrustedToken(Exception):
    """The ID token does not prove who signs in; the message says which check failed, never what is in it."""


def nonce_for(code_verifier: str) -> str:
    """Return the nonce of the sign-in whose PKCE verifier this is: the session keeps one secret for both."""
    return salted_hmac("sluice.oidc-nonce", code_verifier, algorithm="sha256").hexdigest()


def verified_claims(token: str, *, keys: dict[str, Any], issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token that this issuer signed for this client in this sign-in.

    `keys` is the provider's JSON Web Key Set. Raises UntrustedToken for any other token.
    """
    claims = _decode(token, keys, issuer, client_id, [*_REQUIRED, "exp", "sub"])
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client_id:
        raise UntrustedToken("azp")
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise UntrustedToken("nonce")
    return claims


def logout_claims(token: str, *, keys: dict[str, Any], issuer: str, client_id: str) -> dict[str, Any]:
    """Return the claims of a logout token (Back-Channel Logout 1.0, 2.6); raises UntrustedToken for any other.

    An ID token is not one: it has no event, and it has a nonce.
    """
    claims = _decode(token, keys, issuer, client_id, [*_REQUIRED, "jti", "events"])
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise UntrustedToken("events")
    if "nonce" in claims:
        raise UntrustedToken("nonce")
    if not claims.get("sub") and not claims.get("sid"):
        raise UntrustedToken("neither sub nor sid")
    if time.time() - claims["iat"] > LOGOUT_SECONDS:
        raise UntrustedToken("too old")
    return claims


def _decode(token: str, keys: dict[str, Any], issuer: str, client_id: str, required: list[str]) -> dict[str, Any]:
    """Check the signature, the issuer, the audience and the times."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_signing_key(token, keys),
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": required},
        )
    except jwt.PyJWTError as error:
        raise UntrustedToken(type(error).__name__) from error
    if storable(claims) != claims:
        raise UntrustedToken("a character that no text may contain")
    return claims


def _signing_key(token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    """The key that the token names; the only one, where a provider has one and names none."""
    name = jwt.get_unverified_header(token).get("kid")
    usable = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
    for key in usable:
        if key.key_id == name or (name is None and len(usable) == 1):
            return key
    raise UntrustedToken("kid")
