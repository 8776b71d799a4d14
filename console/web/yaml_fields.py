"""What the fields of a Knative Service mean, a sentence each: the reference beside the YAML editor.

Paths are without indexes. Sources: Serving's API reference and Kubernetes' PodSpec.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

_POD = "spec.template.spec."
_CONTAINER = _POD + "containers."

FIELDS: Mapping[str, Any] = {
    "metadata.labels": _("Labels of the service: for selection, access and rules."),
    "metadata.annotations": _("Annotations of the service: settings and notes for tools."),
    "spec.template": _("What each new revision is made from. A change here creates a revision."),
    "spec.template.metadata.name": _("Name of the next revision. Leave it out to let Knative generate it."),
    "spec.template.metadata.annotations": _("Settings of the revision, such as autoscaling.knative.dev/min-scale."),
    "spec.template.metadata.labels": _("Labels of the revision and its pods."),
    _POD + "containerConcurrency": _("How many requests a replica handles at once. 0 means no limit."),
    _POD + "timeoutSeconds": _("How long a request may take, in seconds."),
    _POD + "responseStartTimeoutSeconds": _("How long a response may take to begin, in seconds."),
    _POD + "idleTimeoutSeconds": _("How long a request may send and receive nothing, in seconds."),
    _POD + "serviceAccountName": _("The service account that the pods run as."),
    _POD + "imagePullSecrets": _("Secrets with which the image is pulled from a private registry."),
    _POD + "nodeSelector": _("Labels that a node must have. Requires a Knative feature flag."),
    _POD + "tolerations": _("Taints of nodes that the pods accept. Requires a Knative feature flag."),
    _POD + "affinity": _("Which nodes and pods are preferred. Requires a Knative feature flag."),
    _POD + "initContainers": _("Containers that finish before the others start. Requires a Knative feature flag."),
    _POD + "volumes": _("Secrets, ConfigMaps, claims and directories that containers mount."),
    _POD + "containers": _("The containers of a pod. The one with a port gets the requests."),
    _CONTAINER + "name": _("Name of the container."),
    _CONTAINER + "image": _("The image that runs: registry/name:tag or registry/name@digest."),
    _CONTAINER + "imagePullPolicy": _("When a node pulls the image: Always, IfNotPresent or Never."),
    _CONTAINER + "command": _("Replaces the entrypoint of the image."),
    _CONTAINER + "args": _("Replaces the arguments of the image."),
    _CONTAINER + "workingDir": _("Directory in which the process starts."),
    _CONTAINER + "env": _("Environment variables: a name with a value, or with a reference."),
    _CONTAINER + "env.valueFrom": _("Takes the value from a Secret or ConfigMap key."),
    _CONTAINER + "envFrom": _("Makes all keys of a Secret or ConfigMap environment variables."),
    _CONTAINER + "ports": _("The one port that gets the requests. The name h2c means HTTP/2."),
    _CONTAINER + "ports.containerPort": _("Port on which the process listens. Default 8080; also in $PORT."),
    _CONTAINER + "resources": _("CPU and memory that the container requests, and its limits."),
    _CONTAINER + "resources.requests": _("What the scheduler reserves on a node, for example cpu: 250m."),
    _CONTAINER + "resources.limits": _("The most that the container may use, for example memory: 512Mi."),
    _CONTAINER + "readinessProbe": _("When the container gets requests."),
    _CONTAINER + "livenessProbe": _("When Kubernetes restarts the container."),
    _CONTAINER + "startupProbe": _("Until it succeeds, the other probes are not asked."),
    _CONTAINER + "securityContext": _("User, group and privileges of the process."),
    _CONTAINER + "volumeMounts": _("Where volumes appear in the container."),
    "spec.traffic": _("Which share of the requests goes to which revision. The percentages total 100."),
    "spec.traffic.latestRevision": _("The target is always the latest ready revision."),
    "spec.traffic.revisionName": _("The revision that gets the share."),
    "spec.traffic.percent": _("Share of the requests in percent."),
    "spec.traffic.tag": _("Gives the target its own URL, even at 0 percent."),
}
