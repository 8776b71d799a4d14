"""Data at rest that must not be read in a copy of the database, encrypted with keys that can be rotated (newest first).

Each column that holds sealed data is a BinaryField whose name begins with `sealed_`: `manage.py reseal` finds them so.
"""

import base64
import hashlib
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PREFIX = "sealed_"


def seal(data: Any) -> bytes:
    """Return the JSON data encrypted with the newest key."""
    return MultiFernet(_keys()).encrypt(msgspec.json.encode(data))


def unseal(sealed: bytes | memoryview, *, seconds: int | None = None) -> Any:
    """Return what `seal` took; raises InvalidToken when no known key fits, or it was sealed over `seconds` ago."""
    return msgspec.json.decode(MultiFernet(_keys()).decrypt(bytes(sealed), ttl=seconds))


def can_unseal(sealed: bytes | memoryview) -> bool:
    """Whether a known key encrypted it."""
    try:
        MultiFernet(_keys()).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def is_newest(sealed: bytes | memoryview) -> bool:
    """Whether the newest key encrypted it."""
    try:
        _keys()[0].decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def reseal(sealed: bytes | memoryview) -> bytes:
    """Return the same data encrypted with the newest key; raises InvalidToken when no known key fits."""
    return MultiFernet(_keys()).rotate(bytes(sealed))


def _keys() -> list[Fernet]:
    secrets = settings.ENCRYPTION_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(b"sealing:" + secret.encode()).digest() for secret in secrets]
    return [Fernet(base64.urlsafe_b64encode(key)) for key in keys]


__all__ = ["PREFIX", "InvalidToken", "can_unseal", "is_newest", "reseal", "seal", "unseal"]
