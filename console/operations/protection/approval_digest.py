"""What an approval is bound to."""

import hashlib
from typing import Any

import msgspec

from console.operations.models import Operation
from console.sealing import unseal


def digest(operation: Operation) -> str:
    """Return a SHA-256 over the change, the service as it was seen, and the difference that was shown.

    It is shown and logged, so it is salted: nobody finds a value inside by trying. The salt is kept sealed, and what is
    digested is the content, so that a rotation of keys, which writes the sealed columns again, changes nothing.
    """
    facts = [
        str(operation.id),
        *(operation.cluster, operation.namespace, operation.name, operation.uid),
        *_content(operation),
        operation.changes,
        *(operation.kn, operation.user_id, operation.reason),
    ]
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()


def _content(operation: Operation) -> list[Any]:
    """The change and the service as it was seen: its resourceVersion and generation are in it.

    An operation from before there was a salt is bound to its encrypted form.
    """
    sealed = (operation.sealed_change, operation.sealed_seen)
    if operation.sealed_salt is None:
        return [hashlib.sha256(bytes(one)).hexdigest() for one in sealed]
    return [unseal(operation.sealed_salt), *map(unseal, sealed)]
