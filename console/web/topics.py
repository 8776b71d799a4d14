"""What a page can be about: the text in its data-topic, what that means, and which announcements concern it."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from django.conf import settings
from django.http import Http404, QueryDict
from django.utils.translation import get_language

from console.knative.references import ServiceRef
from console.mirror.announcements import Announcement
from console.operations.models import Operation
from console.request_tests.models import AccessTest
from console.web.revision_list import FILTERS as REVISION_FILTERS
from console.web.service_list import FILTERS, Column, columns_of

# The live parts that are sent (console.web.parts.registry), each with the parameters of its address that count.
PARTS = {
    "service": (),
    "revisions": ("q", "sort", "page"),
    "revision": (),
    "access-test": (),
    "operation": (),
    "operations": ("name", "namespace", "actor", "status", "cluster", "batch", "before", "after"),
    "all-revisions": (*REVISION_FILTERS, "sort", "page", "after", "before"),
    "approvals": ("before", "after", "others-before", "others-after"),
    "waiting": (),
}

OF_ROWS = frozenset({"services", "revisions", "operation"})  # kinds of announcements that a list of services shows
MAX_LENGTH = 2_000  # characters of a topic
WINDOW_BYTES = 2  # of a service's mark: of 65,536 others, one looks the same, and the browser ignores its row


@dataclass(frozen=True)
class Topic:
    """`services` (any service or operation), `operations`, `service:<cluster>/<namespace>/<name>`, `operation:<id>`.
    `subject` is the service whose rights decide about it; None: anybody may hear it.
    """

    text: str
    subject: ServiceRef | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        return self.text.partition(":")[0]

    def concerns(self, announcement: Announcement) -> bool:
        if announcement.is_for_all:
            return True
        if self.kind == "operation":
            return announcement.kind == "operation" and announcement.id == self.text.partition(":")[2]
        if self.subject is None:
            return announcement.kind in (("operation",) if self.text == "operations" else ("services", "operation"))
        there = (announcement.cluster, announcement.namespace, announcement.name)
        return there in ((*_names(self.subject),), (self.subject.cluster, "", ""))


@dataclass(frozen=True)
class ListTopic(Topic):
    """`rows:<language>?<query>&on=<window>`: a page of the services list, with its filter, order, columns and rows."""

    language: str = field(default="", compare=False)
    query: Mapping[str, str] = field(default_factory=dict, compare=False)
    columns: frozenset[Column] = field(default=frozenset(), compare=False)
    window: frozenset[bytes] = field(default=frozenset(), compare=False)

    def shows(self, uid: str) -> bool:
        return _mark(uid) in self.window

    def concerns(self, announcement: Announcement) -> bool:
        return announcement.kind in OF_ROWS or announcement.is_for_all


@dataclass(frozen=True)
class PartTopic(Topic):
    """`part:<language>:<name>:<what it is about>?<query>`: one of PARTS, which is sent when it changes."""

    language: str = field(default="", compare=False)
    name: str = field(default="", compare=False)
    about: str = field(default="", compare=False)
    query: QueryDict = field(default_factory=QueryDict, compare=False)

    @property
    def last(self) -> str:
        """The last name of what it is about: of a revision, its own."""
        return self.about.rpartition("/")[2]

    def concerns(self, announcement: Announcement) -> bool:
        if announcement.is_for_all:
            return True
        if self.name in ("operation", "access-test"):
            return announcement.kind == self.name and announcement.id == self.about
        if self.name in ("approvals", "waiting"):
            return announcement.kind == "approval"
        if announcement.kind == "access-test":
            return False
        if self.subject:
            there = (announcement.cluster, announcement.namespace, announcement.name)
            return there in (_names(self.subject), (self.subject.cluster, "", ""))
        return announcement.kind in (("operation",) if self.name == "operations" else ("services", "revisions"))


def topic_of(operation: Operation) -> str:
    """Return the topic of a page that is fetched again when the operation changes."""
    return f"operation:{operation.id}"


def topic_of_list(query: QueryDict, uids: Iterable[str]) -> str:
    """Return the topic of a page of the services list that shows these services."""
    view = [(name, value.strip()) for name in (*FILTERS, "sort") for value in query.getlist(name)[-1:] if value.strip()]
    columns = [("columns", column.value) for column in sorted(columns_of(query.getlist("columns")))]
    window = base64.urlsafe_b64encode(b"".join(_mark(uid) for uid in uids)).decode()
    return f"rows:{get_language()}?{urlencode([*view, *columns, ('on', window)])}"


def topic_of_part(name: str, about: object, query: QueryDict | None = None) -> str:
    """Return the topic of one of PARTS, with those of the parameters that decide about it, in their order."""
    kept = [(key, value) for key, values in (query or QueryDict()).lists() if key in PARTS[name] for value in values]
    return f"part:{get_language()}:{name}:{about}?{urlencode(kept)}"


def parsed(text: str) -> Topic:
    """Return the topic; raises Http404 for text that is not one, or that is about what does not exist."""
    kind, _, rest = text.partition(":")
    if not text.isprintable() or len(text) > MAX_LENGTH:  # it is repeated in the stream, line by line
        raise Http404
    if text in ("services", "operations"):
        return Topic(text)
    if kind == "rows":
        return _list(text, rest)
    if kind == "part" and rest.count(":") >= 2:
        return _part(text, *rest.split(":", 2))
    if kind == "service" and rest.count("/") == 2:
        return Topic(text, ServiceRef(*rest.split("/")))
    if kind == "operation":
        return Topic(text, _subject_of(Operation, rest))
    raise Http404


def _list(text: str, rest: str) -> ListTopic:
    language, _, query = rest.partition("?")
    if language not in dict(settings.LANGUAGES):
        raise Http404
    values = parse_qs(query)
    one = {name: found[-1] for name, found in values.items()}
    try:
        window = base64.urlsafe_b64decode(one.get("on", ""))
    except ValueError as error:
        raise Http404 from error
    marks = (window[at : at + WINDOW_BYTES] for at in range(0, len(window), WINDOW_BYTES))
    view = {name: one[name] for name in (*FILTERS, "sort") if name in one}
    return ListTopic(text, None, language, view, columns_of(values.get("columns", [])), frozenset(marks))


def _part(text: str, language: str, name: str, rest: str) -> PartTopic:
    about, _, query = rest.partition("?")
    if language not in dict(settings.LANGUAGES) or name not in PARTS:
        raise Http404
    return PartTopic(text, _subject_of_part(name, about), language, name, about, QueryDict(query))


def _subject_of_part(name: str, about: str) -> ServiceRef | None:
    if name in ("operation", "access-test"):
        return _subject_of(Operation if name == "operation" else AccessTest, about)
    if name in ("service", "revisions", "revision"):
        names = about.split("/")
        if len(names) != (4 if name == "revision" else 3):
            raise Http404
        return ServiceRef(*names[:3])
    return None


def _subject_of(model: type[Operation] | type[AccessTest], text: str) -> ServiceRef:
    try:
        thing: Any = model.objects.filter(id=UUID(text)).first()
    except ValueError as error:
        raise Http404 from error
    if thing is None:
        raise Http404
    ref: ServiceRef = thing.ref
    return ref


def _mark(uid: str) -> bytes:
    return hashlib.blake2b(uid.encode(), digest_size=WINDOW_BYTES).digest()


def _names(ref: ServiceRef) -> tuple[str, str, str]:
    return ref.cluster, ref.namespace, ref.name
