"""The live parts by name: what each is made of, by which template, and how often at most.

A part is made once for all who have the same sight of it. Two things that only one person has never are in one: tokens
of a session, for which the browser puts in its own, and values that were revealed, which no part shows (a change that
waits for approval shows them to who decides: its page is fetched, never sent).
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.http import Http404, HttpRequest
from django.template import Context
from django.template.loader import get_template
from django.urls import reverse
from django.utils.translation import override

from console.access.authorization import Rights
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.operations import queries
from console.operations.models import Operation
from console.operations.protection.approvals import Waiting
from console.request_tests.models import AccessTest
from console.web import regions
from console.web.parts import all_revisions, approvals, operations, request_tests, service
from console.web.regions import Region
from console.web.topics import PartTopic

Refused = Mapping[ServiceRef, frozenset[tuple[Permission, str]]]  # what each cluster would refuse to a person
Made = tuple[Region, bool]  # a part, and whether it changes no more


class Whose(NamedTuple):
    """Who looks at a part. `person`: their id, of a part that is personal; else 0."""

    rights: Rights
    refused: Refused
    person: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """`load` reads what all sights have in common; `sight` is None for who may not see the part."""

    template: str
    pause: float  # seconds between two times that it is made
    load: Callable[[PartTopic], Any]
    sight: Callable[[PartTopic, Any, Whose], Hashable | None]
    context: Callable[[PartTopic, Any, Rights, Any], dict[str, Any]]
    address: str = ""  # the name of its page, where its template links to it
    is_over: Callable[[Any], bool] = lambda _thing: False
    is_personal: bool = False  # two people with the same rights may see different things of it

    @property
    def shows_refusals(self) -> bool:
        """Whether it shows what the cluster of its service would refuse to the person."""
        return self.sight is _sight_of_service


def made(topic: PartTopic, thing: Any, rights: Rights, sight: Any) -> Made:
    """Make the part for everybody with this sight of it; raises Http404 when it is gone."""
    part = PARTS[topic.name]
    with override(topic.language):
        shown = part.context(topic, thing, rights, sight)
        context = Context({**shown, "request": _request(topic, part), "csrf_token": regions.TOKEN})
        template = get_template(part.template).template  # type: ignore[attr-defined]  # of Django's engine
        return regions.rendered(template, context), part.is_over(thing)


def _request(topic: PartTopic, part: Part) -> HttpRequest:
    """What links within a list are made of: its own address."""
    request = HttpRequest()
    request.path = reverse(part.address) if part.address else ""
    request.GET = topic.query  # type: ignore[assignment]  # one that cannot be changed, as a request's own
    return request


def _operation(topic: PartTopic) -> Operation:
    found = queries.one(UUID(topic.about))  # any other text names no topic
    if found is None:
        raise Http404
    return found


def _sight_of_operation(_topic: PartTopic, found: Operation, whose: Whose) -> Hashable | None:
    sight = operations.sight(whose.rights, found)
    return sight if Permission.VIEW in sight.permissions else None


def _test(topic: PartTopic) -> AccessTest:
    found = AccessTest.objects.filter(id=topic.about).first()
    if found is None:
        raise Http404
    return found


def _sight_of_test(_topic: PartTopic, found: AccessTest, whose: Whose) -> Hashable | None:
    return True if Permission.VIEW in whose.rights.on(found.ref, labels_of(found.ref)) else None


def _sight_of_service(topic: PartTopic, _thing: None, whose: Whose) -> Hashable | None:
    assert topic.subject  # noqa: S101  of every topic of a service
    permissions = whose.rights.on(topic.subject, labels_of(topic.subject))
    if Permission.VIEW not in permissions:
        return None
    return service.Sight(permissions, whose.refused.get(topic.subject, frozenset()))


PARTS = {
    "service": Part(
        "services/_overview.html",
        0.25,
        lambda _topic: None,
        _sight_of_service,
        lambda topic, _thing, _rights, sight: service.overview(topic.subject, sight),  # type: ignore[arg-type]  # it has one
    ),
    "revisions": Part(
        "services/_history.html",
        0.5,
        lambda _topic: None,
        _sight_of_service,
        lambda topic, _thing, _rights, sight: service.history(topic.subject, sight, topic.query),  # type: ignore[arg-type]  # it has one
    ),
    "revision": Part(
        "services/_revision.html",
        0.5,
        lambda _topic: None,
        _sight_of_service,
        lambda topic, _thing, _rights, sight: service.revision(topic.subject, topic.last, sight),  # type: ignore[arg-type]  # it has one
    ),
    "access-test": Part(
        "testing/_result.html",
        0.25,
        _test,
        _sight_of_test,
        lambda _topic, found, _rights, _sight: request_tests.shown(found),
        is_over=lambda found: found.finished_at is not None,
    ),
    "operation": Part(
        "operations/_operation.html",
        0.0,
        _operation,
        _sight_of_operation,
        lambda _topic, found, _rights, sight: operations.shown(found, sight),
        is_over=lambda found: not found.is_active,
    ),
    "operations": Part(
        "operations/_list.html",
        1.0,
        lambda _topic: None,
        lambda _topic, _thing, whose: whose.rights.sight,
        lambda topic, _thing, rights, _sight: operations.listing(rights, topic.query),
        address="operations",
    ),
    "all-revisions": Part(
        "revisions/_list.html",
        2.0,
        lambda _topic: None,
        lambda _topic, _thing, whose: whose.rights.sight,
        lambda topic, _thing, rights, _sight: all_revisions.shown(rights, topic.query),
        address="all-revisions",
    ),
    "approvals": Part(
        "operations/_approvals.html",
        0.5,
        lambda _topic: Waiting(),
        lambda _topic, waiting, whose: approvals.sight(waiting, whose.person, whose.rights),
        lambda topic, waiting, rights, sight: approvals.listing(waiting, rights, sight, topic.query),
        is_personal=True,
    ),
    "waiting": Part(
        "operations/_waiting.html",
        0.5,
        lambda _topic: Waiting(),
        lambda _topic, waiting, whose: approvals.count(waiting, whose.person, whose.rights),
        lambda _topic, _waiting, _rights, count: {"count": count},
        is_personal=True,
    ),
}
