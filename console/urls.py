"""Every address of the console: sign-in belongs to allauth, all the rest to console.web."""

from django.urls import include, path, register_converter

from console.access.closed import ClosedPage, closed

register_converter(ClosedPage, "closed_page")

handler400 = "console.web.unavailable.bad_request"
handler500 = "console.web.unavailable.server_error"

urlpatterns = [
    path("accounts/<closed_page:page>/", closed, name="closed"),  # before allauth's own
    path("accounts/", include("allauth.urls")),
    path("", include("console.web.urls")),
]
