"""A security key in memory: it answers as a browser does for a key that is there and knows its person."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from console.access.models import User

HOST = "localhost"  # keys belong to a name; without TLS they are used for this one only
FLAGS = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV  # touched, and its person was verified


class SecurityKey:
    """One credential of one person at `HOST`."""

    def __init__(self, person: User) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._id = os.urandom(16)
        self._user_handle = user_pk_to_url_str(person).encode()

    def registered(self) -> dict[str, Any]:
        """What the console keeps of it: the answer to a registration, as a passkey."""
        public = ES256.from_cryptography_key(self._private.public_key())
        held = AttestedCredentialData.create(b"\0" * 16, self._id, public)
        data = AuthenticatorData.create(_rp(), FLAGS | AuthenticatorData.FLAG.AT, 0, held)
        client = CollectedClientData.create(CollectedClientData.TYPE.CREATE, b"any", f"http://{HOST}")
        answer = {"clientDataJSON": websafe_encode(client), "attestationObject": _encoded(data)}
        return {**self._named(), "response": answer, "clientExtensionResults": {"credProps": {"rk": True}}}

    def signed(self, challenge: str | bytes) -> str:
        """The answer to a challenge, as the form sends it."""
        client = CollectedClientData.create(CollectedClientData.TYPE.GET, challenge, f"http://{HOST}")
        data = AuthenticatorData.create(_rp(), FLAGS, 1)
        answer = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self._private.sign(data + client.hash, ec.ECDSA(SHA256()))),
            "userHandle": websafe_encode(self._user_handle),
        }
        return json.dumps({**self._named(), "response": answer, "clientExtensionResults": {}})

    def _named(self) -> dict[str, str]:
        return {"id": websafe_encode(self._id), "rawId": websafe_encode(self._id), "type": "public-key"}


def _rp() -> bytes:
    return hashlib.sha256(HOST.encode()).digest()


def _encoded(data: AuthenticatorData) -> str:
    return websafe_encode(AttestationObject.create("none", data, {}))
