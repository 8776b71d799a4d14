"""Access tests: sending requests to a service and showing who answered."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.request_tests import sending
from console.request_tests.models import AccessTest
from console.web import request_words
from console.web.actions import service_url
from console.web.charts import requests as test_charts
from console.web.charts.marks import Chart
from console.web.forms.request_tests import AccessTestForm
from console.web.live_page import live_page
from console.web.parts.request_tests import shown
from console.web.parts.service import find
from console.web.requests import ConsoleRequest
from console.web.topics import topic_of_part
from console.web.typed import keeps_typed, typed, unjudged
from console.web.views.services import frame

SHOWN = 20  # tests of a service, on its page


@require_permission(Permission.VIEW)
@keeps_typed
def access_test(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The form, and the newest tests of the service."""
    found = find(ref)
    form = AccessTestForm(found, typed(request), tag=request.GET.get("tag", ""))
    busy = None
    if request.method == "POST" and form.is_valid() and found.url:
        try:
            made = sending.start(ref, found, **form.cleaned_data, user=request.user, actor=actor_from(request))
            return redirect(service_url("access-test-result", ref, id=str(made.id)))
        except sending.TooMany as refusal:
            busy = refusal
    unjudged(request, form)
    tests = list(AccessTest.objects.filter(cluster=ref.cluster, namespace=ref.namespace, name=ref.name)[:SHOWN])
    context = {
        **frame(request, ref, found),
        "here": "access-test",
        "form": form,
        "tests": tests,
        "chart": _chart(ref, tests),
        "busy": busy,
    }
    status = HTTPStatus.TOO_MANY_REQUESTS if busy else HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "testing/form.html", context, status=status)


def _chart(ref: ServiceRef, tests: Sequence[AccessTest]) -> Chart | None:
    """The finished tests, oldest first; None where there are none."""
    ended = [test for test in reversed(tests) if test.finished_at and test.sent]
    if not ended:
        return None
    return test_charts.chart(
        ended, request_words.test_answer, lambda test: service_url("access-test-result", ref, id=str(test.id))
    )


@require_permission(Permission.VIEW)
@live_page
def result(request: ConsoleRequest, ref: ServiceRef, id: UUID) -> HttpResponse:
    """Shares by revision and by body beside the wanted ones, while they come in."""
    test = get_object_or_404(AccessTest, id=id)
    if test.ref != ref:
        raise Http404
    context = {
        **frame(request, ref, find(ref)),
        **shown(test),
        "topic": "" if test.finished_at else topic_of_part("access-test", test.id),
    }
    return render(request, "testing/result.html", context)
