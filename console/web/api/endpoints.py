"""The one table of the API: addresses, permissions, parameters, answers. URLs and documentation are made of it."""

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from console.access.permissions import Permission
from console.web.api import access_records, access_views, answers, queries, records, views
from console.web.api.calls import Endpoint, serve

_SERVICE = "services/<str:cluster>/<str:namespace>/<str:name>"

ENDPOINTS = (
    Endpoint(
        "api-whoami", "whoami", None, views.whoami, records.WhoAmI, _("The caller, and what the token currently allows")
    ),
    Endpoint(
        "api-clusters",
        "clusters",
        Permission.VIEW,
        views.clusters,
        answers.ClusterList,
        _("Clusters, and when the cached data of each was last known to be true"),
    ),
    Endpoint(
        "api-services",
        "services",
        Permission.VIEW,
        views.services,
        answers.ServiceList,
        _("Services in all clusters, with filters and sorting"),
        queries.ServiceQuery,
    ),
    Endpoint(
        "api-all-revisions",
        "revisions",
        Permission.VIEW,
        views.all_revisions,
        answers.AllRevisionsList,
        _("The revisions of all services, with filters and sorting"),
        queries.AllRevisionsQuery,
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
        _("One revision, with its current pods"),
    ),
    Endpoint(
        "api-operations",
        "operations",
        Permission.VIEW,
        views.operations,
        records.OperationList,
        _("Changes made through the console, newest first"),
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
        _("Audit log entries, newest first"),
        queries.AuditQuery,
    ),
    Endpoint(
        "api-audit-entry",
        "audit/<int:sequence>",
        Permission.AUDIT,
        views.entry,
        records.AuditEntry,
        _("One audit log entry"),
    ),
    Endpoint(
        "api-rules",
        "protection/rules",
        Permission.AUDIT,
        access_views.rules,
        access_records.RuleList,
        _("Protection rules"),
        queries.ProtectionQuery,
    ),
    Endpoint(
        "api-freezes",
        "protection/freezes",
        Permission.AUDIT,
        access_views.freezes,
        access_records.FreezeList,
        _("Freezes, and when each is active"),
        queries.ProtectionQuery,
    ),
    Endpoint(
        "api-people",
        "people",
        Permission.AUDIT,
        access_views.people,
        access_records.PersonList,
        _("People with their teams"),
        queries.PersonQuery,
    ),
    Endpoint(
        "api-grants",
        "grants",
        Permission.AUDIT,
        access_views.grants,
        access_records.GrantList,
        _("Roles that teams have been granted, and where"),
        queries.GrantQuery,
    ),
    Endpoint(
        "api-roles",
        "roles",
        Permission.VIEW,
        access_views.roles,
        access_records.RoleList,
        _("Roles and their permissions"),
    ),
)


def urls() -> list[URLPattern]:
    return [path(f"api/v1/{endpoint.path}", serve(endpoint), name=endpoint.name) for endpoint in ENDPOINTS]
