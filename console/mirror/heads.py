"""What a page chooses the few revisions by that it shows, of all that a service has: read without their specs.

Of a thousand revisions Redis needs 4 ms to give them, checking and reading them took 10 ms more. So a process keeps the
records of the services that were looked at last, and looks at those that differ. As long as the mirror's counter of
changed revisions, or the names that it has since then, say that none of the service changed, they are not read at all.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from console.cluster.resources import REVISIONS
from console.knative.objects import GENERATION_LABEL, Revision
from console.knative.redaction import without_digests
from console.knative.references import ServiceRef
from console.mirror import keys, read
from console.mirror.read import Mark
from console.redis_client import client
from console.signing import verify


class Head(msgspec.Struct, frozen=True, gc=False):
    """A revision's name, the generation of the configuration that made it (0: unknown), and whether it is ready."""

    name: str
    generation: int
    is_ready: bool


class _Condition(msgspec.Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""


class _Status(msgspec.Struct, frozen=True):
    conditions: tuple[_Condition, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    labels: dict[str, str] = {}


class _Slim(msgspec.Struct, frozen=True):
    metadata: _Metadata
    status: _Status = _Status()


MAX_RECORDS = 5000  # that a process keeps, some 2 kB each
MAX_CHANGES = 500  # of a cluster's revisions; more are not looked through. At most store.KEPT_CHANGES.


class Known(NamedTuple):
    """A service's revisions, read after a mark of the cluster's: by name the record, and what it says."""

    at: Mark
    records: Mapping[str, tuple[str, Head]]
    ordered: tuple[Head, ...]


NOTHING = Known(Mark("", 0), {}, ())
_known: OrderedDict[ServiceRef, Known] = OrderedDict()
_lock = threading.Lock()
_slim = msgspec.json.Decoder(_Slim)
_object = msgspec.json.Decoder(dict)


@read.guarded
def heads(ref: ServiceRef) -> tuple[Head, ...]:
    """Return all revisions of the service, the newest first as kn sorts them."""
    at = revision_mark(ref.cluster)
    with _lock:
        before = _known.pop(ref, NOTHING)
    now = before._replace(at=at) if _is_unchanged(ref, before, at) else _read(ref, before, at)
    _keep(ref, now)
    return now.ordered


@read.guarded
def revision_mark(cluster: str) -> Mark:
    """Return where the mirror of the cluster's revisions is now."""
    epoch, version = client().mget(keys.epoch(cluster), keys.revision_version(cluster))
    return Mark(str(epoch or ""), int(version or 0))


def _is_unchanged(ref: ServiceRef, before: Known, now: Mark) -> bool:
    """Whether no revision of the service was written or dropped since; where that is not known, it may have been."""
    if not now.epoch or now.epoch != before.at.epoch or not 0 <= now.version - before.at.version <= MAX_CHANGES:
        return False
    if now.version == before.at.version:
        return True
    changed = client().zrangebyscore(keys.revision_changes(ref.cluster), f"({before.at.version}", "+inf")
    # A new revision's name begins with its service's; another one's may too, which costs no more than a reading.
    mine = f"{ref.namespace}/{ref.name}-"
    return not any(str(one).startswith(mine) or str(one).partition("/")[2] in before.records for one in changed)


def _read(ref: ServiceRef, before: Known, at: Mark) -> Known:
    key = _key(ref)
    records: dict[str, str] = client().hgetall(key)  # type: ignore[assignment]  # not of an async client
    found = {name: _known_or_read(before.records.get(name), key, name, record) for name, record in records.items()}
    known = {name: one for name, one in found.items() if one}
    ordered = sorted((head for _, head in known.values()), key=lambda head: (-head.generation, head.name))
    return Known(at, known, tuple(ordered))


def _known_or_read(known: tuple[str, Head] | None, key: str, name: str, record: str) -> tuple[str, Head] | None:
    """What the record says; None where the watcher did not write it there."""
    if known and known[0] == record:
        return known
    body = verify(record, key, name)
    return (record, _head(body)) if body else None


def _keep(ref: ServiceRef, now: Known) -> None:
    """Keep them, in place of those that were looked at the longest ago."""
    with _lock:
        _known[ref] = now
        while sum(len(one.records) for one in _known.values()) > MAX_RECORDS:
            _known.popitem(last=False)


def named(ref: ServiceRef, names: Iterable[str]) -> tuple[Revision, ...]:
    """Return those of the service's revisions that there are, their secrets hidden."""
    bodies = read.records(_key(ref), sorted(names)).values()
    return tuple(Revision(_object.decode(without_digests(body.decode()))) for body in bodies)


def _key(ref: ServiceRef) -> str:
    return keys.owned(ref.cluster, REVISIONS.plural, ref.namespace, ref.name)


def _head(body: bytes) -> Head:
    try:
        slim = _slim.decode(body)
    except msgspec.ValidationError:  # a status may hold anything
        whole = Revision(_object.decode(body))
        return Head(whole.name, whole.configuration_generation, whole.ready.is_true)
    text = slim.metadata.labels.get(GENERATION_LABEL, "")
    is_ready = any(one.type == "Ready" and one.status == "True" for one in slim.status.conditions)
    return Head(slim.metadata.name, int(text) if text.isdecimal() else 0, is_ready)
