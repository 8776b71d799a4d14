"""Attempts that were refused, in the audit log: the first of an hour at once, its repeats as a number with the next.

An open page that asks again and again, or a script, would otherwise bury what the log is for.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from console import audit, counters
from console.access.actors import Actor, actor_from, client_ip
from console.access.permissions import Permission
from console.access.refusals import Frozen, NotAllowed, OwnedElsewhere
from console.audit import Outcome
from console.counters import Refused, SignInMethod
from console.knative.references import ServiceRef

FOLD_SECONDS = 3600
COUNT_SECONDS = 7 * 24 * 3600  # a number of repeats that no later attempt reports is forgotten


def record_refused_sign_in(request: HttpRequest | None, name: str, text: str = "", *, method: SignInMethod) -> None:
    """Leave an entry of a sign-in that was refused: the name that was tried, never the password."""
    counters.SIGN_INS.labels(method.value, "refused").inc()
    ip = client_ip(request) if request else ""
    actor = Actor(None, name[:150], ip, getattr(request, "request_id", ""))
    said = f"method {method.value}{': ' if text else ''}{text}"
    audit.record("session.sign-in", actor=actor, outcome=Outcome.REFUSED, text=said)


@contextmanager
def audited(actor: Actor) -> Iterator[None]:
    """Leave the entry of an attempt that the block refuses, outside of the transaction that the refusal ended."""
    try:
        yield
    except NotAllowed as refusal:
        record_not_allowed(refusal, actor)
        raise
    except Frozen as refusal:
        if not refusal.is_audited:
            counters.REFUSALS.labels(Refused.FROZEN.value).inc()
            audit.record("protect.frozen", actor=actor, ref=refusal.ref, outcome=Outcome.REFUSED, text=refusal.note)
            refusal.is_audited = True
        raise
    except OwnedElsewhere as refusal:
        if not refusal.is_audited:
            counters.REFUSALS.labels(Refused.LOCKED.value).inc()
            text = f"{refusal.tool}. {refusal.note}".strip()
            audit.record("protect.locked", actor=actor, ref=refusal.ref, outcome=Outcome.REFUSED, text=text)
            refusal.is_audited = True
        raise


def record_not_allowed(refusal: NotAllowed, actor: Actor) -> None:
    """Leave the one entry of an attempt that was not allowed, named after the first of the permissions it lacked."""
    if refusal.is_audited:
        return
    counters.REFUSALS.labels(str(refusal.permission)).inc()
    audit.record(
        f"{refusal.permission}.refused",
        actor=actor,
        ref=refusal.ref,
        outcome=Outcome.REFUSED,
        text=refusal.audit_text,
    )
    refusal.is_audited = True


def record_refusal(request: HttpRequest, permission: Permission, ref: ServiceRef | None) -> None:
    """Leave an entry of the attempt, unless the same person was refused the same at the same address this hour."""
    counters.REFUSALS.labels(str(permission)).inc()
    attempt = f"{request.method} {request.path}"
    repeats = _repeats(fold_key(request.user.pk, permission, attempt))
    if repeats is None:
        return
    more = f" (and {repeats} more times since the last such entry)" if repeats else ""
    audit.record(
        f"{permission}.refused",
        actor=actor_from(request),
        ref=ref,
        outcome=Outcome.REFUSED,
        text=f"{attempt}{more}",
    )


def fold_key(user_id: int | None, permission: str, attempt: str) -> str:
    """Return under which name the cache counts the attempt; a path is too long and too free for a key."""
    return hashlib.sha256(f"{user_id}:{permission}:{attempt}".encode()).hexdigest()


def _repeats(key: str) -> int | None:
    """Return how many repeats no entry reports yet, or None where this is one more repeat.

    Without Redis nothing is folded: an entry too many is better than one too few.
    """
    told, count = f"refused:{key}", f"refused-again:{key}"
    try:
        if cache.add(told, 1, FOLD_SECONDS):
            repeats = int(cache.get(count, 0))
            cache.delete(count)
            return repeats
        if not cache.add(count, 1, COUNT_SECONDS):
            cache.incr(count)
    except RedisError:
        return 0
    return None
