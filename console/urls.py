"""Every address of the console: sign-in belongs to allauth, all the rest to the web room."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("console.web.urls")),
]
