"""What an approval is bound to."""

import hashlib

import msgspec

from console.operations.models import Operation


def digest(operation: Operation) -> str:
    """Return a SHA-256 over the change, the service as it was seen, and the difference that was shown.

    It is taken of the encrypted form, so it tells nothing of the values inside; that form is never written again.
    """
    facts = [
        str(operation.id),
        *(operation.cluster, operation.namespace, operation.name, operation.uid),
        hashlib.sha256(bytes(operation.sealed_change)).hexdigest(),
        hashlib.sha256(bytes(operation.sealed_seen)).hexdigest(),  # its resourceVersion and generation are in it
        operation.changes,
        *(operation.kn, operation.user_id, operation.reason),
    ]
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()
