"""The key of the digests that replace secrets in the mirror."""

import hashlib

from django.conf import settings


def key_mark() -> str:
    """Return what tells the key from others, and nothing more of it."""
    return hashlib.sha256(b"mark:" + seal_key()).hexdigest()[:8]


def seal_key() -> bytes:
    """Return the installation's key: equal secrets have equal digests for as long as it stays."""
    return hashlib.sha256(b"mirror:" + settings.SECRET_KEY.encode()).digest()
