"""Signed heads of the chain. Kept elsewhere, they prove later that nothing up to there was changed or cut off."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils import timezone

from console.audit.chain import end

_PURPOSE = b"sluice audit checkpoint\n"  # a signature of ours means nothing else


class CheckpointRefused(Exception):
    """The text is not a checkpoint, or its signature is not from one of our keys."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The newest entry at a moment. The key and the signature (Ed25519) are base64."""

    sequence: int
    hash: str
    at: str
    key: str = ""
    signature: str = ""

    def to_line(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def signed(self) -> bytes:
        facts = {"sequence": self.sequence, "hash": self.hash, "at": self.at}
        return _PURPOSE + json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def make() -> Checkpoint:
    """Return the chain's head, signed with the newest key."""
    head = end()
    bare = Checkpoint(head.sequence, head.hash, timezone.now().isoformat())
    return Checkpoint(bare.sequence, bare.hash, bare.at, *sign(bare.signed))


def public_keys() -> tuple[str, ...]:
    """Return the public keys of this installation, newest first."""
    return tuple(_public(key) for key in _keys())


def sign(text: bytes) -> tuple[str, str]:
    """Return the newest key's public half and its signature of the bytes, both as base64."""
    key = _keys()[0]
    return _public(key), _text(key.sign(text))


def is_known(key: str, trusted: Sequence[str] = ()) -> bool:
    """Whether the key is one of `trusted`, or of this installation's where none is given."""
    return key in (tuple(trusted) or public_keys())


def unknown_key(key: str, trusted: Sequence[str] = ()) -> str:
    """Return what to tell about a signature by a key that is not among the known ones: which it is, and what to do."""
    known = ", ".join(tuple(trusted) or public_keys())
    return (
        f"the key {key}, which is not among those that are trusted here ({known}). The console's own come from "
        "CONSOLE_AUDIT_KEYS, else from CONSOLE_SECRET_KEY and its fallbacks. If it was the console's before a restore "
        "or a rotation (`manage.py audit checkpoint --public-key` printed it then), append the key of that time to "
        f"CONSOLE_AUDIT_KEYS, or pass --public-key {key} and those above. If not, this proves nothing"
    )


def is_signed(text: bytes, key: str, signature: str, trusted: Sequence[str] = ()) -> bool:
    """Whether the key is known (see `is_known`) and made the signature of the bytes; key and signature are base64."""
    if not is_known(key, trusted):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signature), text)
    except (InvalidSignature, ValueError, TypeError):  # TypeError: the JSON has no text there
        return False
    return True


def read(text: str, trusted: Sequence[str] = ()) -> Iterator[Checkpoint]:
    """Yield the checkpoints in the text, one a line, signed by one of `trusted` (else by this installation).

    Raises CheckpointRefused.
    """
    for line in filter(None, map(str.strip, text.splitlines())):
        try:
            found = Checkpoint(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise CheckpointRefused("this is not a checkpoint") from error
        if not is_known(found.key, trusted):
            raise CheckpointRefused(f"checkpoint {found.sequence} is signed with {unknown_key(found.key, trusted)}")
        if not is_signed(found.signed, found.key, found.signature, trusted):
            raise CheckpointRefused(f"the signature of checkpoint {found.sequence} is wrong")
        yield found


def _keys() -> list[Ed25519PrivateKey]:
    secrets = settings.AUDIT_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    seeds = [hashlib.sha256(b"audit checkpoint:" + secret.encode()).digest() for secret in secrets]
    return [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return _text(raw)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
