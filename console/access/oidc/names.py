"""How a new person of the identity provider is called here: by the claim that the operator named, or not at all.

The audit log, approvals and Impersonate-User carry the name, so that nothing is guessed: neither a first name nor a
number behind a name that somebody else has.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from console.access.models import User


class NameRefused(Exception):
    """No account can be made: `missing`, `unfit`, `unverified` or `taken`, and the claim's value where there is one."""

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(code)
        self.code, self.name = code, name


def name_from(claims: Mapping[str, Any], *, claim: str, issuer: str) -> str:
    """Return the account's name; with no claim named, one derived from the issuer and the subject.

    Raises NameRefused. A mail address that the provider says is not verified is whatever the person typed there.
    """
    if not claim:
        return derived_name(issuer, str(claims["sub"]))
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise NameRefused("missing")
    if claim == "email" and claims.get("email_verified") is False:
        raise NameRefused("unverified", value)
    return _fit(value)


def derived_name(issuer: str, subject: str) -> str:
    """Return a name that no two people share: issuers and subjects are too long and too free for a name."""
    return f"oidc-{hashlib.sha256(f'{issuer} {subject}'.encode()).hexdigest()[:20]}"


def _fit(value: str) -> str:
    """The value as accounts spell names; raises NameRefused for one that no account may have."""
    name = User.normalize_username(value)
    try:
        User._meta.get_field("username").run_validators(name)
    except ValidationError as error:
        raise NameRefused("unfit", value) from error
    return name
