"""What the console keeps in Redis and believes when it reads it back, signed with a key that Redis does not know.

A signature is bound to the place (key, and field of a hash): a record that is moved, changed or invented counts as
missing. A record of the same place that was true earlier can be put back; docs/security.md says what that comes to.
"""

import base64
import hashlib
import hmac
import time
from functools import lru_cache

import structlog
from django.conf import settings

SIGNATURE_BYTES = 18  # 24 characters of base64
WARN_SECONDS = 60.0  # between two log events of a process: forged records must not fill the log

log = structlog.get_logger(__name__)
_LENGTH = SIGNATURE_BYTES * 4 // 3
_warned_at = {"record": -WARN_SECONDS}


def sign(body: bytes, *place: str) -> bytes:
    """Return the record to keep at the place: the signature by the newest key, then the body."""
    return _signature(settings.SECRET_KEY, body, place) + body


def verify(record: str | bytes, *place: str) -> bytes | None:
    """Return the body of a record that was read at the place, or None, and warn in the log, when it is not ours."""
    data = record.encode() if isinstance(record, str) else record
    signature, body = data[:_LENGTH], data[_LENGTH:]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if hmac.compare_digest(signature, _signature(secret, body, place)):
            return body
    _warn(place)
    return None


def _signature(secret: str, body: bytes, place: tuple[str, ...]) -> bytes:
    """A page checks hundreds of records, a list of all revisions tens of thousands: each line here counts."""
    digest = _keyed(secret).copy()
    parts = [part.encode() for part in place]
    digest.update(b"".join([b"%d:%s" % (len(part), part) for part in parts]) + b"=")
    digest.update(body)
    return base64.urlsafe_b64encode(digest.digest())


@lru_cache(maxsize=8)
def _keyed(secret: str) -> "hashlib.blake2b":
    """A digest with the key of this secret in it, to be copied: that costs a fraction of beginning one."""
    key = hashlib.sha256(b"redis-records:" + secret.encode()).digest()
    return hashlib.blake2b(key=key, digest_size=SIGNATURE_BYTES)


def _warn(place: tuple[str, ...]) -> None:
    now = time.monotonic()
    if now - _warned_at["record"] >= WARN_SECONDS:
        _warned_at["record"] = now
        log.warning("record_not_ours", place=" ".join(place)[:300])
