"""Pages of allauth that this console does not offer: nobody signs up, and no mail is sent."""

from django.http import Http404, HttpRequest, HttpResponse

from console.access.decorators import public


class ClosedPage:
    """A path converter that knows those pages: sign-up, mail addresses, passwords by mail or beside single sign-on."""

    regex = (
        "signup|email|confirm-email(?:/.+)?|password/(?:set|reset(?:/.+)?)|login/code(?:/.+)?|3rdparty/signup|social/.+"
    )

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@public
def closed(_request: HttpRequest, page: str) -> HttpResponse:
    """Answer as for a page that does not exist."""
    raise Http404(page)
