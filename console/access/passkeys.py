"""A sign-in by passkey that is refused leaves an entry, as one by password does."""

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from django.core.exceptions import ValidationError

from console.access.attempts import record_refused_sign_in
from console.counters import SignInMethod

_MALFORMED = (TypeError, ValueError, LookupError, AttributeError)  # what fido2 raises for JSON that no key sends


class PasskeyForm(LoginWebAuthnForm):  # type: ignore[misc]  # allauth is not typed
    """The key's answer. An entry of a refusal names nobody: the answer that would say who it was is not proved."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except (ValidationError, *_MALFORMED) as error:
            record_refused_sign_in(context.request, "", method=SignInMethod.PASSKEY)
            if isinstance(error, ValidationError):
                raise
            raise get_adapter().validation_error("incorrect_code") from error
