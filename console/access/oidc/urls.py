"""Below /accounts/, where allauth mounts its providers."""

from django.urls import path

from console.access.oidc import views

urlpatterns = [
    path("oidc/login/", views.login, name="oidc_login"),
    path("oidc/login/callback/", views.callback, name="oidc_callback"),
    path("oidc/confirm/", views.confirm, name="oidc_confirm"),
    path("oidc/leave/", views.leave, name="oidc_leave"),
    path("oidc/back-channel-logout/", views.back_channel_logout, name="oidc_back_channel_logout"),
]
