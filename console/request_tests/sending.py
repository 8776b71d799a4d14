"""Beginning a test, and sending its requests."""

import math
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from console import audit, queue
from console.access.actors import CONSOLE, Actor
from console.access.authorization import rights_of
from console.access.labels import labels_of
from console.access.models import User
from console.access.permissions import Permission
from console.audit import Outcome
from console.cluster.errors import ClusterError
from console.cluster.service_request import AddressRefused, Answer, ask, target
from console.clusters import connections
from console.database import after_commit
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget, shares
from console.operations.announce import tell
from console.queue import TaskName
from console.request_tests.models import AccessTest
from console.request_tests.results import UNNAMED

MAX_REQUESTS = 200
MAX_RUNNING = 8  # in the whole installation: as many as the background worker has threads
MAX_CONCURRENT = 8
TOLD_EVERY = 8  # answers between two announcements
SENDING_SECONDS = 45.0  # then no more requests are begun: a task must not last
LONGEST = timedelta(minutes=5)
RETENTION = timedelta(days=30)
CUT_SHORT = "cut-short"  # not all requests were sent
NOT_ALLOWED = "not-allowed"


class TooMany(Exception):
    """No further test may begin now; `running` is the person's own test of this service, None when it is others'."""

    def __init__(self, running: AccessTest | None) -> None:
        super().__init__()
        self.running = running


def start(ref: ServiceRef, service: Service, *, count: int, user: User, actor: Actor, tag: str = "") -> AccessTest:
    """Begin a test of 1 to 200 requests to the service's URL, or to that of a tag; a worker sends them.

    Raises TooMany while a test of this person and service runs, and while many of others do: requests that anybody
    who may see a service can send must not fill the cluster or the worker.
    """
    try:
        return _start(ref, service, count, user, actor, tag)
    except IntegrityError as error:  # the database's constraint: two presses at once
        raise TooMany(_running(ref, user)) from error


def _running(ref: ServiceRef, user: User) -> AccessTest | None:
    mine = AccessTest.objects.filter(cluster=ref.cluster, namespace=ref.namespace, name=ref.name, user=user)
    return mine.filter(finished_at=None).first()


@transaction.atomic
def _start(ref: ServiceRef, service: Service, count: int, user: User, actor: Actor, tag: str) -> AccessTest:
    url, wanted = _address(service, tag)
    if not 1 <= count <= MAX_REQUESTS:
        raise ValueError(count)
    if AccessTest.objects.filter(finished_at=None).count() >= MAX_RUNNING:
        raise TooMany(_running(ref, user))
    test = AccessTest.objects.create(
        cluster=ref.cluster,
        namespace=ref.namespace,
        name=ref.name,
        user=user,
        url=url,
        wanted=wanted,
        count=count,
    )
    text = f"{count} requests" + (f" to the tag {tag}" if tag else "")
    audit.record("view.AccessTest", actor=actor, ref=ref, outcome=Outcome.REQUESTED, text=text)
    after_commit(_enqueue, test)
    return test


def tagged(service: Service) -> dict[str, TrafficTarget]:
    """Return the targets that have a URL of their own, by tag."""
    return {one.tag: one for one in service.status_traffic if one.tag and one.url and one.revision}


def _address(service: Service, tag: str) -> tuple[str, dict[str, int]]:
    """Where the requests go, and the percent that each revision is to answer; KeyError for a tag that is not there."""
    if not tag:
        return service.url, shares(service.status_traffic)
    target = tagged(service)[tag]
    return target.url or "", {target.revision or "": 100}


def send(test_id: UUID | str, stop: threading.Event) -> None:
    """Send the requests, a few at a time, and count the answers; a test that was begun already is left alone."""
    if not AccessTest.objects.filter(id=test_id, sent=0, finished_at=None).exists():
        return
    test = AccessTest.objects.get(id=test_id)
    if test.user is None or not rights_of(test.user).allows(Permission.VIEW, test.ref, labels_of(test.ref)):
        _finish(test, error=NOT_ALLOWED)  # the right was taken away since the button was pressed
        return
    try:
        where = target(connections.get(test.cluster), test.url)
    except (AddressRefused, ClusterError) as error:
        _finish(test, error=str(error)[:300])
        return
    counts = Counts()
    until = time.monotonic() + SENDING_SECONDS

    def ask_in_time(_number: int) -> Answer | None:
        return None if stop.is_set() or time.monotonic() > until else ask(where)

    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        for answer in pool.map(ask_in_time, range(test.count)):
            if answer is None:
                break
            counts.add(answer)
            if counts.sent % TOLD_EVERY == 0:
                counts.write(test)
    counts.write(test)
    _finish(test, error="" if counts.sent == test.count else CUT_SHORT)


def end_interrupted() -> None:
    """Finish the tests whose worker died, or whose message was lost."""
    for test in AccessTest.objects.filter(finished_at=None, started_at__lt=timezone.now() - LONGEST):
        _finish(test, error=CUT_SHORT)


def forget_old() -> int:
    """Delete the tests of long ago; returns how many."""
    return AccessTest.objects.filter(started_at__lt=timezone.now() - RETENTION).delete()[0]


class Counts:
    """The answers so far."""

    def __init__(self) -> None:
        self.sent = self.failed = 0
        self.by_revision: Counter[str] = Counter()
        self.by_body: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.seconds: list[float] = []

    def add(self, answer: Answer) -> None:
        self.sent += 1
        self.seconds.append(answer.seconds)
        self.by_status[answer.status] += 1
        if answer.status != 200:
            self.failed += 1
            self.by_body[answer.error or f"HTTP {answer.status}"] += 1
        else:
            self.by_revision[answer.revision or UNNAMED] += 1
            self.by_body[answer.body] += 1

    def write(self, test: AccessTest) -> None:
        AccessTest.objects.filter(id=test.id).update(
            sent=self.sent,
            failed=self.failed,
            by_revision=dict(self.by_revision),
            by_body=dict(self.by_body.most_common(20)),
            by_status=dict(self.by_status),
            slowest=max(self.seconds, default=0.0),
            median=statistics.median(self.seconds) if self.seconds else 0.0,
            p95=percentile(self.seconds, 95) if self.seconds else None,
        )
        tell("access-test", test)


def percentile(found: Sequence[float], percent: int) -> float:
    """Return the least of the values that so many percent of them do not exceed; ValueError when there are none."""
    return sorted(found)[max(0, math.ceil(len(found) * percent / 100) - 1)]


def _finish(test: AccessTest, error: str = "") -> None:
    """End the test, and say in the log how it ended; a second end (the sweep, a late worker) does neither."""
    with transaction.atomic():
        open_tests = AccessTest.objects.filter(id=test.id, finished_at=None)
        if open_tests.update(finished_at=timezone.now(), error=error):
            _record_end(AccessTest.objects.get(id=test.id))
    tell("access-test", test)


def _record_end(test: AccessTest) -> None:
    actor = Actor(test.user_id, test.user.get_username()) if test.user else CONSOLE
    audit.record(
        "view.AccessTestEnd",
        actor=actor,
        ref=test.ref,
        outcome=Outcome.FAILED if test.error else Outcome.SUCCEEDED,
        text=f"{test.sent - test.failed} of {test.count} answered",
    )


def _enqueue(test: AccessTest) -> None:
    try:
        queue.enqueue(TaskName.SEND_REQUESTS, [str(test.id)])
    except queue.NOT_SENT as error:
        _finish(test, error=f"the queue is not responding ({type(error).__name__})")
