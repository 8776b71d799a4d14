"""The one table of the API: addresses, permissions, parameters, answers. URLs and documentation are made of it."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from console.access.permissions import Permission
from console.web.api import answers, queries, records, views
from console.web.api.calls import Endpoint, serve

_SERVICE = "services/<str:cluster>/<str:namespace>/<str:name>"

ENDPOINTS = (
    Endpoint("api-whoami", "whoami", None, views.whoami, records.WhoAmI, _("Who calls, and what the token allows now")),
    Endpoint(
        "api-clusters",
        "clusters",
        Permission.VIEW,
        views.clusters,
        answers.ClusterList,
        _("The clusters, and how old what the console knows of each is"),
    ),
    Endpoint(
        "api-services",
        "services",
        Permission.VIEW,
        views.services,
        answers.ServiceList,
        _("Services of all clusters, filtered and sorted"),
        queries.ServiceQuery,
    ),
    Endpoint("api-service", _SERVICE, Permission.VIEW, views.service, answers.ServiceDetail, _("One service")),
    Endpoint(
        "api-revisions",
        f"{_SERVICE}/revisions",
        Permission.VIEW,
        views.revisions,
        answers.RevisionList,
        _("The revisions of a service"),
        queries.RevisionQuery,
    ),
    Endpoint(
        "api-revision",
        f"{_SERVICE}/revisions/<str:revision>",
        Permission.VIEW,
        views.revision,
        answers.RevisionDetail,
        _("One revision, with its pods now"),
    ),
    Endpoint(
        "api-operations",
        "operations",
        Permission.VIEW,
        views.operations,
        records.OperationList,
        _("Changes through the console, newest first"),
        queries.OperationQuery,
    ),
    Endpoint(
        "api-operation",
        "operations/<uuid:id>",
        Permission.VIEW,
        views.operation,
        records.OperationDetail,
        _("One change with its timeline"),
    ),
    Endpoint(
        "api-audit",
        "audit",
        Permission.AUDIT,
        views.entries,
        records.AuditList,
        _("Entries of the audit log, newest first"),
        queries.AuditQuery,
    ),
    Endpoint(
        "api-audit-entry",
        "audit/<int:sequence>",
        Permission.AUDIT,
        views.entry,
        records.AuditEntry,
        _("One entry of the audit log"),
    ),
)


def urls() -> list[URLPattern]:
    return [path(f"api/v1/{endpoint.path}", serve(endpoint), name=endpoint.name) for endpoint in ENDPOINTS]
