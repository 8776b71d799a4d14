"""Below /accounts/, where allauth mounts its providers."""

from django.urls import path

from console.access.oidc import views

urlpatterns = [
    path("oidc/login/", views.login, name="oidc_login"),
    path("oidc/login/callback/", views.callback, name="oidc_callback"),
]
