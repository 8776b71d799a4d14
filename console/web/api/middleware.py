"""The API's border: no cookie comes in, no page goes out."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from console.web.api import problems

ROOT = "/api/v1/"


class ApiMiddleware:
    """Take the cookies from requests to the API, so that a session neither opens it nor is prolonged by it; and turn
    every error page into a problem."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        response = self.get_response(request)
        is_error = response.status_code >= HTTPStatus.BAD_REQUEST
        if not is_error or response["Content-Type"] == problems.CONTENT_TYPE:
            return response
        problem = problems.for_status(request, response.status_code)
        if "Allow" in response:
            problem["Allow"] = response["Allow"]
        problem["Content-Length"] = str(len(problem.content))
        vars(request).pop("_csp_nonce", None)  # of the page that this answer replaces
        return problem
