"""What an approval is bound to, and what the entry of a decision says of what was on the screen.

Both digests are salted, so that nobody finds a value inside by trying. The salt is kept sealed beside what is digested
and goes with it: when retention has removed the operation, the digest that stays in the log says nothing.
"""

import hashlib
from typing import Any

import msgspec

from console.operations.models import Operation
from console.operations.models.protection import Approval
from console.sealing import unseal


def digest(operation: Operation) -> str:
    """Return a SHA-256 over the change, the service as it was seen, and the difference that was shown.

    What is digested is the content, so that a rotation of keys, which writes the sealed columns again, changes nothing.
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


def shown_digest(operation: Operation) -> str:
    """Return a SHA-256 over everything that the page of the decision was made from: the whole sealed preview.

    Unlike `digest` it has the dry run's answer and the rules that asked, and nothing that changes later: it is compared
    with what is stored for as long as the operation is kept. An operation from before there was a salt has the first 16
    digits of its `digest`, as entries had until then.
    """
    if operation.sealed_salt is None:
        return digest(operation)[:16]
    approval: Approval | None = getattr(operation, "approval", None)
    after = None if operation.sealed_after is None else unseal(operation.sealed_after)
    facts = [
        *("shown/1", str(operation.id), operation.kind),
        *(operation.cluster, operation.namespace, operation.name),
        *_content(operation),
        *(after, operation.changes, operation.kn, operation.kn_limit, operation.makes_revision),
        *(operation.actor, operation.reason, approval.rules if approval else []),
    ]
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()
