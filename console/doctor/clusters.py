"""Whether each cluster answers, has Knative Serving, and lets the console's account do what it must."""

from collections.abc import Iterator

from console.clusters import connections
from console.doctor.findings import Finding, ok, problem, warning
from console.registry import Report, reports
from console.web import cluster_words

SETTINGS = "docs/operations.md, “Clusters”, says how a cluster is given."
ROLES = "Apply deploy/kubernetes/roles.yaml to the cluster, with its bindings."


def clusters() -> Iterator[Finding]:
    names = connections.names()
    if not names:
        yield problem("clusters", "none is configured", "Set CONSOLE_CLUSTERS, or add one in the console.")
    for name in names:
        yield _judged(f"cluster {name}", reports.refresh(name))


def _judged(part: str, report: Report) -> Finding:
    words = cluster_words.verdict(report)
    if not report.is_usable:
        return problem(
            part, f"{words} {report.raw}".strip(), ROLES if report.missing else "See docs/operations.md, “Clusters”."
        )
    if report.missing:
        return warning(part, f"the account lacks {', '.join(report.missing)}", ROLES)
    versions = f"Kubernetes {report.kubernetes}, Knative {report.knative or 'of unknown version'}"
    return ok(part, f"{versions}; the account has every right that the console uses")
