"""Why a cluster's settings make it refuse a value, in words for people, with what it takes (knative.cluster_bounds)."""

from django.utils.translation import gettext_lazy

PROBLEMS = {
    "cluster-at-most": gettext_lazy("This cluster accepts at most %(most)s."),
    "cluster-no-unlimited": gettext_lazy("This cluster does not accept 0 (no limit). Enter at most %(most)s."),
    "cluster-no-zero": gettext_lazy("This cluster does not accept 0. That needs %(setting)s: true in %(config)s."),
    "cluster-metric": gettext_lazy(
        "The autoscaler of this service accepts only %(metrics)s. Other metrics need another "
        "autoscaling.knative.dev/class."
    ),
}
