"""For Prometheus."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from console.access.decorators import public
from console.web import metrics as figures


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, for clients that send CONSOLE_METRICS_TOKEN as bearer; without that setting there are none."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        answer = HttpResponse("A metrics token is required.\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = 'Bearer realm="sluice-metrics"'
        return answer
    return HttpResponse(figures.exposition(), content_type=CONTENT_TYPE_LATEST)
