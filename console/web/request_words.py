"""Test requests in words: why a test ended early, who answered, with which HTTP status."""

from http import HTTPStatus

from django.utils.translation import gettext as _

from console.request_tests import sending
from console.request_tests.results import FAILED, UNNAMED


def test_error(error: str) -> str:
    """Return why an access test could not be run, or not to its end."""
    if error == sending.CUT_SHORT:
        return _("The test was cut short: not all requests were sent.")
    if error == sending.NOT_ALLOWED:
        return _("Permission to view this service was revoked before the test started.")
    return _("The test could not be run: %(reason)s") % {"reason": error}


def http_status(status: int) -> str:
    """Return a status code with its standard name; 0 is none."""
    if not status:
        return _("No response")
    known = next((one.phrase for one in HTTPStatus if one.value == status), "")
    return f"{status} {known}".strip()


def test_answer(name: str) -> str:
    """Return who answered a test request: a revision, one that the ingress did not name, or nobody."""
    if name == FAILED:
        return _("failed")
    return _("unknown (not reported by the ingress)") if name == UNNAMED else name
