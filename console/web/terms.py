"""Knative's terms in one sentence each, for the help beside fields; docs/glossary.md has the whole list."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KNATIVE = "https://knative.dev/docs/serving"


@dataclass(frozen=True, slots=True)
class Term:
    """`url` is the page of Knative's documentation that tells more; nothing of it is loaded by the console."""

    name: str | Promise
    sentence: str | Promise
    url: str


TERMS = {
    "min-scale": Term(
        _("Min scale"),
        _("At least so many replicas run, also without requests; 0 lets the revision scale to zero."),
        f"{KNATIVE}/autoscaling/scale-bounds/",
    ),
    "max-scale": Term(
        _("Max scale"),
        _("The autoscaler never runs more replicas than this; 0 means no limit."),
        f"{KNATIVE}/autoscaling/scale-bounds/",
    ),
    "initial-scale": Term(
        _("Initial scale"),
        _("A new revision must reach so many replicas once before it counts as ready."),
        f"{KNATIVE}/autoscaling/scale-bounds/",
    ),
    "activation-scale": Term(
        _("Activation scale"),
        _("When a revision scales up from zero, it starts with at least so many replicas."),
        f"{KNATIVE}/autoscaling/scale-bounds/",
    ),
    "target": Term(
        _("Target per replica"),
        _("The autoscaler adds replicas until each has about this much of the metric."),
        f"{KNATIVE}/autoscaling/concurrency/",
    ),
    "utilization": Term(
        _("Target utilization (%)"),
        _("The autoscaler plans with this share of the target, so that replicas are added before it is reached."),
        f"{KNATIVE}/autoscaling/concurrency/",
    ),
    "stable-window": Term(
        _("Stable window"),
        _("The autoscaler averages the metric over this time before it changes the number of replicas."),
        f"{KNATIVE}/autoscaling/kpa-specific/",
    ),
    "concurrency-limit": Term(
        _("Concurrency limit (container concurrency)"),
        _("A replica never handles more requests than this at the same time; further ones wait. 0 means no limit."),
        f"{KNATIVE}/autoscaling/concurrency/",
    ),
    "request-timeout": Term(
        _("Request timeout (s)"),
        _("A request that takes longer than this is ended with an error."),
        f"{KNATIVE}/services/",
    ),
    "revision": Term(
        _("Revision"),
        _("Each deploy makes a revision, a copy of image and settings that never changes and can get traffic again."),
        f"{KNATIVE}/revisions/",
    ),
    "traffic": Term(
        _("Traffic"),
        _("Knative sends each request to one of the revisions, by these percentages."),
        f"{KNATIVE}/traffic-management/",
    ),
    "tag": Term(
        _("Traffic tag"),
        _("A tag gives a revision a URL of its own, so that it can be tried without getting any of the traffic."),
        f"{KNATIVE}/traffic-management/",
    ),
    "scale-to-zero": Term(
        _("Scale to zero"),
        _("A revision without requests has no pods; the next request waits until one has started."),
        f"{KNATIVE}/autoscaling/scale-to-zero/",
    ),
    "cluster-local": Term(
        _("Cluster-local"),
        _("The service can be reached only from inside its cluster."),
        f"{KNATIVE}/services/private-services/",
    ),
}
OF_FIELDS = {  # the name of a form's field to its term
    "min": "min-scale",
    "max": "max-scale",
    "initial": "initial-scale",
    "activation": "activation-scale",
    "target": "target",
    "utilization": "utilization",
    "window": "stable-window",
    "concurrency": "concurrency-limit",
    "timeout": "request-timeout",
    "cluster_local": "cluster-local",
    "share_tag": "tag",
}
