"""What every request passes through: its id, and one place that turns errors from below into pages."""

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.views.defaults import bad_request

from console.access.refusals import Refusal
from console.mirror.read import MirrorUnavailable
from console.operations import ClusterError
from console.sealing import InvalidToken
from console.web import outcomes, unavailable
from console.web.requests import ConsoleRequest
from console.web.typed import push_address
from console.web.views import refused

log = structlog.get_logger(__name__)
METRICS = "/metrics"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestContextMiddleware:
    """Give each request an id, in logs, audit entries and the answer.

    The proxy's own where CONSOLE_PROXY_REQUEST_ID says that it sets one: a client's would let it choose what the
    audit log keeps.
    """

    def __init__(self, get_response: Callable[[ConsoleRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: ConsoleRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "") if settings.PROXY_REQUEST_ID else ""
        request.request_id = sent if _REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id
        if response.get("Content-Type", "").startswith("text/html"):
            add_never_cache_headers(response)  # pages hold what this person may see, values among them
        return response


class HostMiddleware(CommonMiddleware):
    """Django's check of the host name, except for /metrics: Prometheus asks each replica by its own address.

    That page needs its token, and makes no link of the name.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info == METRICS else super().process_request(request)


class ErrorPageMiddleware:
    """Say in plain words what a cluster or the mirror answered; the raw message is there on demand.

    What the console refuses has its pages in console.web.views.refused.
    """

    STATUS = {
        "NotFound": 404,
        "UnknownCluster": 404,
        "Forbidden": 403,
        "Conflict": 409,
        "AlreadyExists": 409,
        "InvalidToken": 409,
    }

    def __init__(self, get_response: Callable[[ConsoleRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: ConsoleRequest) -> HttpResponse:
        response = self.get_response(request)
        request.is_answered = response.status_code < HTTPStatus.BAD_REQUEST
        return response

    def process_exception(self, request: ConsoleRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Refusal):
            response = refused.page(error, request)
            push_address(request, response)
            return response
        if isinstance(error, RecursionError):  # JSON or YAML nested deeper than any reader goes
            log.warning("request_refused", why="nested too deeply", path=request.path)
            return bad_request(request, error)
        if not_available := unavailable.page(request, error):
            return not_available
        if not isinstance(error, ClusterError | MirrorUnavailable | InvalidToken):
            return None
        if isinstance(error, InvalidToken):
            log.error("stored_value_not_decrypted", path=request.path, advice="see `manage.py doctor`")
        sentence, raw = outcomes.answer_error(error)
        status = self.STATUS.get(type(error).__name__, 503)
        response = TemplateResponse(request, "error.html", {"sentence": sentence, "raw": raw}, status=status)
        return response.render()
