"""Addresses of the console's own pages. Every view names its permission; tests/web/test_access.py walks this table."""

from django.urls import path

from console.web import stream
from console.web.api import endpoints
from console.web.api.openapi import openapi
from console.web.views import (
    audit,
    bulk,
    changes,
    first_admin,
    health,
    metrics,
    operations,
    preferences,
    services,
    testing,
    tokens,
)

_SERVICE = "services/<str:cluster>/<str:namespace>/<str:name>/"

urlpatterns = [
    path("", services.services, name="services"),
    path("services/bulk/", bulk.bulk, name="bulk"),
    path("services/bulk/submit/", bulk.submit, name="bulk-submit"),
    path("services/new/", changes.create, name="create"),
    path(_SERVICE, services.service, name="service"),
    path(f"{_SERVICE}revisions/", services.revisions, name="revisions"),
    path(f"{_SERVICE}revisions/<str:revision>/", services.revision, name="revision"),
    path(f"{_SERVICE}revisions/<str:revision>/delete/", changes.delete_revision, name="delete-revision"),
    path(f"{_SERVICE}env/", changes.env, name="env"),
    path(f"{_SERVICE}env/reveal/", changes.reveal, name="reveal"),
    path(f"{_SERVICE}image/", changes.image, name="image"),
    path(f"{_SERVICE}traffic/", changes.traffic, name="traffic"),
    path(f"{_SERVICE}settings/", changes.settings, name="settings"),
    path(f"{_SERVICE}yaml/", changes.yaml, name="yaml"),
    path(f"{_SERVICE}delete/", changes.delete, name="delete"),
    path(f"{_SERVICE}test/", testing.access_test, name="access-test"),
    path(f"{_SERVICE}test/<uuid:id>/", testing.result, name="access-test-result"),
    path("previews/<uuid:id>/submit/", operations.submit, name="submit"),
    path("operations/", operations.operations, name="operations"),
    path("activity/", operations.activity, name="activity"),
    path("operations/<uuid:id>/", operations.operation, name="operation"),
    path("operations/<uuid:id>/cancel/", operations.cancel, name="cancel"),
    path("operations/<uuid:id>/retry/", operations.retry, name="retry"),
    path("audit/", audit.entries, name="audit"),
    path("audit/<int:sequence>/", audit.entry, name="audit-entry"),
    path("audit/export.<str:form>", audit.download, name="audit-export"),
    path("stream/", stream.stream, name="stream"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new/", tokens.create, name="create-token"),
    path("tokens/<uuid:id>/revoke/", tokens.revoke, name="revoke-token"),
    path("api/", tokens.documentation, name="api"),
    path("api/v1/openapi.json", openapi, name="openapi"),
    *endpoints.urls(),
    path("first-administrator/<str:token>/", first_admin.first_admin, name="first-admin"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("metrics", metrics.metrics, name="metrics"),
]
