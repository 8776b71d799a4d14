"""The key of the digests that replace secrets in the mirror."""

import hashlib

from django.conf import settings


def seal_key() -> bytes:
    """Return the installation's key: equal secrets have equal digests for as long as it stays."""
    return hashlib.sha256(b"mirror:" + settings.SECRET_KEY.encode()).digest()
