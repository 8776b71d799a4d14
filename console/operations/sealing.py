"""Data at rest that may hold env values: encrypted with a key that can be rotated (newest first)."""

import base64
import hashlib
from typing import Any

import msgspec
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(data: Any) -> bytes:
    """Return the JSON data encrypted with the newest key."""
    return _fernet().encrypt(msgspec.json.encode(data))


def unseal(sealed: bytes | memoryview) -> Any:
    """Return what `seal` took; raises cryptography.fernet.InvalidToken when no known key fits."""
    return msgspec.json.decode(_fernet().decrypt(bytes(sealed)))


def _fernet() -> MultiFernet:
    secrets = settings.ENCRYPTION_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [hashlib.sha256(b"sealing:" + secret.encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
