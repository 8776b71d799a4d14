"""What services were at each moment since recording began, told from what was kept when they changed.

A moment is kept when a service is first seen and at each change after (operations.external.detection); it says what the
service was from then on. Its facts are kept once for all moments that have the same, by their digest, so that going
back and forth costs a row. While nobody watched, changes are seen as one at the next look: `WatchGap`.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from django.db import transaction
from django.db.models import Min, QuerySet

from console.audit import policy
from console.audit.chain import hold
from console.audit.models import ServiceFacts, ServiceMoment, WatchedCluster, WatchGap
from console.knative.objects import Service
from console.knative.portrait import Fact, Kind, Portrait, portrait
from console.knative.references import ServiceRef

MAX_SILENCE = timedelta(seconds=60)  # between two confirmations; after a longer one it is not known what happened
TELLING = timedelta(seconds=1)  # between keeping a change and the time of its entry
BATCH_SIZE = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a service at a moment.

    `moment` is what was kept last before it (None: recording of the service had not begun, or began with another
    console), `portrait` what it says (None: there was no such service). `began` is when recording of it began.
    With `gap` nobody watched at the moment: `after` is what was seen when it ended, where that differs.
    `silent_since`: nothing has been heard of the cluster from then until now, and the moment is later.
    """

    ref: ServiceRef
    at: datetime
    began: datetime | None
    moment: ServiceMoment | None = None
    portrait: Portrait | None = None
    gap: WatchGap | None = None
    after: ServiceMoment | None = None
    after_portrait: Portrait | None = None
    silent_since: datetime | None = None

    @property
    def is_recorded(self) -> bool:
        return self.moment is not None

    @property
    def is_certain(self) -> bool:
        """Whether the service was that at the moment: somebody watched, or it was the same before and after."""
        return self.is_recorded and self.silent_since is None and (self.gap is None or self.after is None)


def note(
    ref: ServiceRef, service: Service, at: datetime, kept: str | None, *, key: str, has_status: bool = True
) -> str:
    """Keep what the service is from `at` on, unless `kept` says that it was the same; returns what `kept` becomes.

    `key` tells with which key the digests of its values were made.
    """
    found = portrait(service, key)
    newest = None
    if not has_status:
        newest = _newest(ref)
        found = found.serving_as(_portrait(newest))
    parts = [_encoded(part) for part in (found.template, found.routing)]
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    # A revision that is not known yet says nothing new.
    was = (kept or "").split(" ")
    revision = found.revision or (was[3] if was[:2] == [service.uid, digests[0]] and len(was) > 3 else "")
    now = " ".join((service.uid, *digests, revision))
    if now == kept:
        return now
    pairs = zip(digests, parts, strict=True)
    rows = [ServiceFacts(digest=digest, data=zlib.compress(part, 9)) for digest, part in pairs]
    ServiceFacts.objects.bulk_create(rows, ignore_conflicts=True)
    ServiceMoment.objects.create(
        cluster=ref.cluster,
        namespace=ref.namespace,
        service=ref.name,
        at=_in_order(newest or _newest(ref), at),
        uid=service.uid,
        generation=service.generation,
        revision=revision,
        template_id=digests[0],
        routing_id=digests[1],
    )
    return now


def note_gone(ref: ServiceRef, at: datetime) -> None:
    """Keep that there is no such service from `at` on."""
    moment = _in_order(_newest(ref), at)
    ServiceMoment.objects.create(cluster=ref.cluster, namespace=ref.namespace, service=ref.name, at=moment)


def confirm(cluster: str, last: datetime | None, until: datetime, now: datetime) -> None:
    """Note that the mirror was true until then; a silence before it is a gap, which ends now.

    Called after a look: what changed in the gap has been kept by then.
    """
    if last is not None and until - last > MAX_SILENCE:
        WatchGap.objects.create(cluster=cluster, begins=last, ends=now)
    if last is None or until > last:
        WatchedCluster.objects.filter(cluster=cluster).update(confirmed_at=until)


def silence_around(cluster: str, moment: datetime, now: datetime) -> datetime | None:
    """Return since when nothing was recorded of the cluster at the moment; None where the console looked.

    After a restore of the database that is the time of the backup.
    """
    gaps = WatchGap.objects.filter(cluster=cluster, begins__lt=moment, ends__gte=moment)
    if (begins := gaps.values_list("begins", flat=True).first()) is not None:
        return begins
    confirmed = WatchedCluster.objects.filter(cluster=cluster).values_list("confirmed_at", flat=True).first()
    return confirmed if confirmed is not None and now - confirmed > MAX_SILENCE else None


def at(ref: ServiceRef, moment: datetime, now: datetime) -> Answer:
    """Return what is known of the service at the moment."""
    kept = of_service(ref)
    began = kept.aggregate(began=Min("at"))["began"]
    last = kept.filter(at__lte=moment).order_by("-at", "-id").first()
    if last is None:
        return Answer(ref, moment, began)
    gap = WatchGap.objects.filter(cluster=ref.cluster, begins__lt=moment, ends__gt=moment).first()
    after = _seen_after(kept, gap, moment) if gap else None
    if after and (after.template_id, after.routing_id) == (last.template_id, last.routing_id):
        after = None  # the same again
    confirmed = WatchedCluster.objects.filter(cluster=ref.cluster).values_list("confirmed_at", flat=True).first()
    is_silent = confirmed is not None and moment > confirmed and now - confirmed > MAX_SILENCE
    return Answer(
        ref, moment, began, last, _portrait(last), gap, after, _portrait(after), confirmed if is_silent else None
    )


def labels_around(ref: ServiceRef, moment: datetime) -> tuple[Mapping[str, str], ...]:
    """Return the labels that the service had at the moment and before it; none where they are not known.

    A change is told a moment after it was kept, and the one before it is what it was made to.
    """
    rows = of_service(ref).filter(at__lte=moment + TELLING).order_by("-at", "-id")
    digests = [one for one in rows.values_list("routing", flat=True)[:2] if one]
    return tuple({one.name: one.text for one in _facts(digest) if one.kind is Kind.LABEL} for digest in digests)


def images_of(ref: ServiceRef, uid: str, revisions: Iterable[str]) -> dict[str, tuple[Fact, ...]]:
    """Return the images of those of the service's revisions whose making was seen: a revision never changes."""
    rows = of_service(ref).filter(uid=uid, revision__in=set(revisions)).exclude(template=None)
    made = dict(rows.order_by("-at", "-id").values_list("revision", "template_id"))  # the first is the one that counts
    return {
        name: tuple(sorted(one for one in _facts(digest) if one.kind is Kind.IMAGE)) for name, digest in made.items()
    }


def of_service(ref: ServiceRef) -> QuerySet[ServiceMoment]:
    """Return all moments that are kept of the service."""
    return ServiceMoment.objects.filter(cluster=ref.cluster, namespace=ref.namespace, service=ref.name)


def forget(before: datetime) -> int:
    """Remove what services were until then; returns how many moments went.

    The newest moment of each service from before stays, as it says what the service was from then on; not of a service
    that was gone by then. What a legal hold covers stays, with the moment from before that it begins with.
    """
    old = ServiceMoment.objects.filter(at__lt=before)
    services = old.order_by().values_list("cluster", "namespace", "service").distinct()
    removed = sum(_forget(ServiceRef(*names), before) for names in list(services))
    _forget_gaps(before)
    _forget_unused()
    return removed


@transaction.atomic
def _forget(ref: ServiceRef, before: datetime) -> int:
    """With the log, so that no hold is placed between the look for one and the removal."""
    hold()
    held = policy.first_held_of(ref)
    mine = of_service(ref).filter(at__lt=before if held is None else min(before, held))
    newest = mine.order_by("-at", "-id").first()
    if newest and newest.template_id:
        mine = mine.exclude(pk=newest.pk)
    return mine.delete()[0]


@transaction.atomic
def _forget_gaps(before: datetime) -> None:
    """What is held is told with the times when nobody watched. With the log, as the moments are removed."""
    hold()
    if all(one.person for one in policy.active_holds()):
        WatchGap.objects.filter(ends__lt=before).delete()


def _forget_unused() -> None:
    used = ServiceMoment.objects.exclude(template=None)
    unused = ServiceFacts.objects.exclude(digest__in=used.values("template")).exclude(digest__in=used.values("routing"))
    digests = list(unused.values_list("digest", flat=True))
    for start in range(0, len(digests), BATCH_SIZE):
        ServiceFacts.objects.filter(digest__in=digests[start : start + BATCH_SIZE]).delete()


def _seen_after(kept: QuerySet[ServiceMoment], gap: WatchGap, moment: datetime) -> ServiceMoment | None:
    """What was seen first after the moment, where that was in the gap or when it ended."""
    found = kept.filter(at__gt=moment, at__lte=gap.ends)
    return found.order_by("at", "id").first()


def _newest(ref: ServiceRef) -> ServiceMoment | None:
    return of_service(ref).order_by("-at", "-id").first()


def _in_order(newest: ServiceMoment | None, at: datetime) -> datetime:
    """The moment, not before what is kept already: the clocks of machines differ, the order of changes does not."""
    return max(at, newest.at) if newest else at


def _portrait(moment: ServiceMoment | None) -> Portrait | None:
    if moment is None or moment.template_id is None or moment.routing_id is None:
        return None
    return Portrait(_facts(moment.template_id), _facts(moment.routing_id), moment.revision)


def _encoded(facts: Iterable[Fact]) -> bytes:
    return msgspec.json.encode(sorted((one.kind.value, one.name, one.text) for one in facts))


@lru_cache(maxsize=64)  # facts never change: a digest says what they are
def _facts(digest: str) -> frozenset[Fact]:
    data = ServiceFacts.objects.values_list("data", flat=True).get(digest=digest)
    rows: Sequence[Sequence[str]] = msgspec.json.decode(zlib.decompress(bytes(data)))
    return frozenset(Fact(Kind(kind), name, text) for kind, name, text in rows)
