"""Why a cluster refuses a value, in words for people, with what it takes.

It is because of the cluster's settings (knative.cluster_bounds), or of another value (knative.conflicts).
"""

from django.utils.translation import gettext_lazy

PROBLEMS = {
    "cluster-at-most": gettext_lazy("This cluster accepts at most %(most)s."),
    "cluster-no-unlimited": gettext_lazy("This cluster does not accept 0 (no limit). Enter at most %(most)s."),
    "cluster-no-zero": gettext_lazy("This cluster does not accept 0. That needs %(setting)s: true in %(config)s."),
    "cluster-metric": gettext_lazy(
        "The autoscaler of this service accepts only %(metrics)s. Other metrics need another "
        "autoscaling.knative.dev/class."
    ),
    "scale-min-above-max": gettext_lazy("Min scale (%(min)s) must not be greater than max scale (%(max)s)."),
    "scale-min-above-activation": gettext_lazy(
        "Min scale (%(min)s) must not be greater than activation scale (%(activation)s)."
    ),
    "scale-activation-above-max": gettext_lazy(
        "Activation scale (%(activation)s) must not be greater than max scale (%(max)s)."
    ),
    "request-above-limit": gettext_lazy(
        "The request (%(request)s) is above the limit (%(limit)s). Kubernetes refuses to run that."
    ),
    "port-reserved": gettext_lazy("Port %(port)s is reserved by Knative. Choose another port."),
    "port-second": gettext_lazy("Only one container can have a port. These have one: %(containers)s."),
    "port-none": gettext_lazy("One of the containers needs a port: the one that receives the requests."),
    "mount-reserved": gettext_lazy("%(path)s is reserved. Choose another path."),
    "probe-without-period": gettext_lazy(
        "A timeout or a failure threshold of the readiness probe needs a period. Enter a period, or leave them empty."
    ),
    "probe-other-port": gettext_lazy(
        "The probe asks port “%(port)s”, but the container’s port is named “%(name)s”. Enter its number or leave it "
        "empty."
    ),
}
