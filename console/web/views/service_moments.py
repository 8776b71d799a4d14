"""A service at a moment, and what differs between two, from what the console kept when the service changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from console import periods
from console.access.auditing import reads_everything, visible_entries
from console.access.decorators import refuse, require_permission
from console.access.labels import labels_of
from console.access.permissions import Permission
from console.access.scopes import selector_text
from console.audit import service_history
from console.audit.service_history import Answer
from console.knative.portrait import Difference, Fact, Kind, differences, labels, shown
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import queries
from console.web import portrait_words, reports
from console.web.requests import ConsoleRequest

AT, OTHER = "at", "other"  # parameters of the two moments
PLACE = ("cluster", "namespace", "service")
MAX_ENTRIES = 5  # about the service, from before the moment
COLUMNS = ("kind", "name", "at", "other", "differs")
RECORD = "record"  # the kind of the rows of a file that say what the others rest on


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. `other` None: only one moment."""

    ref: ServiceRef | None
    at: datetime
    other: datetime | None
    problems: frozenset[str]

    @property
    def moments(self) -> tuple[datetime, ...]:
        return (self.at, self.other) if self.other else (self.at,)


@require_permission(Permission.AUDIT)
def moment(request: ConsoleRequest) -> HttpResponseBase:
    """What the service was at the moment, or at two moments with what differs."""
    asked = _asked(request)
    if asked.ref and not _may_read(request, asked.ref):
        return refuse(request, Permission.AUDIT, asked.ref)
    answers = _answers(asked)
    context = {
        "asked": asked,
        "problems": asked.problems,
        "answers": [_side(request, answer) for answer in answers],
        "differences": _differences(answers),
        "query": _query_of(request),
    }
    return render(request, "audit/service.html", context, status=422 if asked.problems else 200)


@require_POST
@require_permission(Permission.AUDIT)
def export(request: ConsoleRequest, form: str) -> HttpResponseBase:
    """The same as a file: a row a fact, and rows of what is known."""
    asked = _asked(request)
    if form not in reports.FORMS:
        raise Http404
    if asked.ref and not _may_read(request, asked.ref):
        return refuse(request, Permission.AUDIT, asked.ref)
    if asked.problems or not asked.ref:
        return moment(request)
    return reports.file(request, "service", form, COLUMNS, _rows(_answers(asked)), _query_of(request))


def _asked(request: ConsoleRequest) -> Asked:
    query = request.GET.dict()
    place = [query.get(name, "").strip() for name in PLACE]
    at, wrong = periods.moment(query, AT)
    other, wrong_too = periods.moment(query, OTHER)
    return Asked(ServiceRef(*place) if all(place) else None, at or timezone.now(), other, wrong | wrong_too)


def _may_read(request: ConsoleRequest, ref: ServiceRef) -> bool:
    return reads_everything(request.rights) or request.rights.allows(Permission.AUDIT, ref, labels_of(ref))


def _answers(asked: Asked) -> list[Answer]:
    if asked.ref is None or asked.problems:
        return []
    now = timezone.now()
    return [service_history.at(asked.ref, one, now) for one in asked.moments]


def _side(request: ConsoleRequest, answer: Answer) -> dict[str, Any]:
    """What the page shows of one moment."""
    entries = visible_entries(request.rights).filter(
        cluster=answer.ref.cluster, namespace=answer.ref.namespace, service=answer.ref.name, at__lte=answer.at
    )
    newest = list(entries.order_by("-sequence")[:MAX_ENTRIES])
    return {
        "answer": answer,
        "groups": _groups(answer),
        "meanwhile": _between(answer),
        "entries": newest,
        "made": queries.made(one.operation for one in newest),
        "labels": selector_text(labels(answer.portrait.facts)) if answer.portrait else "",
        "at": answer.at.isoformat(),
    }


def _groups(answer: Answer) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The facts by kind: name, text, and of a revision that served its images."""
    if answer.portrait is None:
        return []
    images = _images(answer)
    return [
        (str(portrait_words.KINDS[kind]), [(one.name, shown(one.text) or "", images.get(one, "")) for one in facts])
        for kind, facts in groupby(answer.portrait.facts, key=lambda one: one.kind)
    ]


def _images(answer: Answer) -> dict[Fact, str]:
    """What the revisions that served were made of: a revision never changes, so one that still exists says it too."""
    if answer.portrait is None or answer.moment is None:
        return {}
    served = {one: one.name.partition(" #")[0] for one in answer.portrait.routing if one.kind is Kind.SERVING}
    kept = service_history.images_of(answer.ref, answer.moment.uid, served.values())
    found = {name: ", ".join(fact.text for fact in facts) for name, facts in kept.items()}
    if missing := {*served.values()} - found.keys():
        found |= _images_now(answer.ref, missing)
    return {fact: found[name] for fact, name in served.items() if name in found}


def _images_now(ref: ServiceRef, names: Iterable[str]) -> dict[str, str]:
    try:
        there = {one.name: one for one in read.revisions(ref)}
    except read.MirrorUnavailable:
        return {}
    return {name: ", ".join(one.image for one in there[name].containers) for name in names if name in there}


def _between(answer: Answer) -> tuple[Difference, ...]:
    """What differs between before and after the time in which nobody watched."""
    if answer.after is None:
        return ()
    before, after = (one.facts if one else () for one in (answer.portrait, answer.after_portrait))
    return _hidden(differences(before, after))


def _differences(answers: list[Answer]) -> tuple[Difference, ...] | None:
    """What differs between the two moments; None where one of them is not recorded, or was not asked for."""
    if len(answers) != len((AT, OTHER)) or not all(one.is_recorded for one in answers):
        return None
    before, after = (one.portrait.facts if one.portrait else () for one in answers)
    return _hidden(differences(before, after))


def _hidden(rows: Iterable[Difference]) -> tuple[Difference, ...]:
    return tuple(Difference(one.kind, one.name, shown(one.before), shown(one.after)) for one in rows)


def _rows(answers: list[Answer]) -> list[dict[str, str]]:
    differing = {(one.kind, one.name) for one in _differences(answers) or ()}
    sides = [{(one.kind, one.name): one.text for one in (a.portrait.facts if a.portrait else ())} for a in answers]
    keys = sorted({key for side in sides for key in side}, key=lambda key: (list(Kind).index(key[0]), key[1]))
    told = [_told(one) for one in answers]
    rows = [_row(RECORD, name, [one[name] for one in told]) for name in told[0]]
    for key in keys:
        texts = [shown(side.get(key)) or "" for side in sides]
        rows.append(_row(key[0].value, key[1], texts, differs=key in differing))
    return rows


def _told(answer: Answer) -> dict[str, str]:
    """What the facts of a moment rest on."""
    return {
        "moment": answer.at.isoformat(),
        "recording_began": answer.began.isoformat() if answer.began else "",
        "recorded": _yes(answer.is_recorded),
        "existed": "" if not answer.is_recorded else _yes(answer.portrait is not None),
        "certain": _yes(answer.is_certain),
        "since": answer.moment.at.isoformat() if answer.moment else "",
        "nobody_watched_from": answer.gap.begins.isoformat() if answer.gap else "",
        "nobody_watched_to": answer.gap.ends.isoformat() if answer.gap else "",
        "nothing_heard_since": answer.silent_since.isoformat() if answer.silent_since else "",
    }


def _row(kind: str, name: str, texts: list[str], *, differs: bool = False) -> dict[str, str]:
    at, other = (*texts, "")[:2]
    return {"kind": kind, "name": name, "at": at, "other": other, "differs": _yes(differs)}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _query_of(request: ConsoleRequest) -> str:
    names = (*PLACE, AT, f"{AT}{periods.TIME}", OTHER, f"{OTHER}{periods.TIME}", periods.ZONE)
    asked = {name: request.GET.get(name, "").strip() for name in names}
    return urlencode({name: value for name, value in asked.items() if value})
