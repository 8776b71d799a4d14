"""The history of a service: who served when, what was requested, done and detected, for all who may see the service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from console.access.auditing import entries_about
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.audit import searching
from console.audit.summary import MAX_DAYS
from console.knative import traffic
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations import queries
from console.operations.traffic_history import Shares, Step
from console.operations.traffic_history import history as traffic_history
from console.web import history_words, paging
from console.web.actions import service_url
from console.web.charts import traffic as chart
from console.web.parts.service import find
from console.web.requests import ConsoleRequest
from console.web.spans import Span, query_of, span_of
from console.web.views.audit import as_sequence
from console.web.views.services import frame

RECENT = 10
DAYS = (1, 7, 14, 30)
DEFAULT_DAYS = 14


@require_permission(Permission.VIEW)
def history(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """Traffic over time, the latest operations, and all entries about the service, newest first, in pages."""
    found = find(ref)
    span = span_of(request.GET.dict(), timezone.now(), _last_days, DAYS, DEFAULT_DAYS)
    asked = searching.search(entries_about(ref), {} if span.days else query_of(request.GET.dict(), span))
    below = as_sequence(request.GET.get("before", ""))
    page = searching.older(asked, below, paging.PAGE_SIZE)
    context = {
        **frame(request, ref, found),
        "here": "history",
        "operations": queries.of_service(ref)[:RECENT],
        "entries": page.entries,
        "made": queries.made(one.operation for one in page.entries),
        "older": page.older_below,
        "is_newest": below is None,
        "days": span.days,
        "choices": DAYS,
        "problems": span.problems,
        "max_days": MAX_DAYS,
        **(_traffic(request, ref, found, span) if below is None else {}),
    }
    return render(request, "services/history.html", context, status=422 if span.problems else 200)


def _last_days(days: int, now: datetime) -> tuple[datetime, datetime]:
    return now - timedelta(days=days), now


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of the traffic as the page names it: its link, and the link to a split like it (empty: no way back)."""

    step: Step
    href: str
    back: str


def _traffic(request: ConsoleRequest, ref: ServiceRef, found: Service, span: Span) -> dict[str, Any]:
    """The chart of the time that the address asks for, its steps, newest first, and the one that it points at."""
    now, since = timezone.now(), span.since
    until = min(span.until, now) if span.days is None else now
    serving = None if read.freshness(ref.cluster).is_stale else traffic.shares(found.status_traffic)
    steps = traffic_history(ref, now, serving, since, until)
    kept = query_of(request.GET.dict(), span)
    may_split = Permission.TRAFFIC in request.permissions
    moments = [Moment(one, _moment_url(one, kept), _back(ref, one, serving, may_split)) for one in steps]
    urls = {one.step.begin: one.href for one in moments}
    chosen = _pointed_at(moments, request.GET.get("moment", ""))
    return {
        "moments": moments[::-1],
        "ends_now": until >= now,
        "moment": chosen,
        "traffic_chart": chart.chart(
            steps,
            chart.axis(steps, since, until),
            history_words.step,
            lambda step: urls[step.begin],
            chosen.step if chosen else None,
        ),
        "recorded_since": steps[0].begin if steps and steps[0].begin > since else None,
    }


def _moment_url(step: Step, kept: Mapping[str, str]) -> str:
    """The middle of the step: where the first one shown begins, and the last one ends, moves on with the time."""
    middle = step.begin + (step.end - step.begin) / 2
    return f"?{urlencode({**kept, 'moment': middle.isoformat()})}#moment"


def _back(ref: ServiceRef, step: Step, serving: Shares | None, may_split: bool) -> str:
    """The traffic form with the split of that time; empty where it is unknown, nothing served, or it serves now."""
    if not (may_split and step.shares) or (serving is not None and dict(step.shares) == dict(serving)):
        return ""
    return f"{service_url('traffic', ref)}?{split_query(step.shares)}"


def split_query(shares: Mapping[str, int]) -> str:
    return urlencode([("share", f"{name}:{percent}") for name, percent in shares.items()])


def _pointed_at(moments: Sequence[Moment], text: str) -> Moment | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return next((one for one in moments if one.step.begin <= moment < one.step.end), None)
