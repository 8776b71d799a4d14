"""Why kn cannot express a change, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.knative.kn_command import KnLimit

KN_LIMITS: Mapping[KnLimit, Promise] = {
    KnLimit.OTHER_CONTAINER: gettext_lazy(
        "kn edits only the first container of a service, and this change affects another one."
    ),
    KnLimit.NAMED_TEMPLATE: gettext_lazy(
        "The template names its revision: kn keeps that name, and Knative accepts each name only once."
    ),
    KnLimit.NO_FLAG: gettext_lazy("kn has no flag for one of the changed fields."),
    KnLimit.NO_REMOVAL: gettext_lazy("kn can set one of the removed fields, but not remove it."),
    KnLimit.VARIABLES: gettext_lazy(
        "kn cannot set these environment variables: one is listed twice, changes position, or comes from "
        "something other than a Secret or ConfigMap key."
    ),
    KnLimit.ENV_FROM: gettext_lazy(
        "kn does not distinguish envFrom sources by prefix, and supports neither optional sources nor their order."
    ),
    KnLimit.PROBE: gettext_lazy(
        "kn sets only readiness and liveness probes by HTTP, TCP or exec, without headers, and without commas or "
        "colons in their parts."
    ),
    KnLimit.PULL_SECRETS: gettext_lazy("kn sets only one image pull secret."),
    KnLimit.ANNOTATION_ON_BOTH: gettext_lazy(
        "kn removes an annotation from both the service and its template, but this change keeps it in one of them."
    ),
    KnLimit.TOLERATIONS: gettext_lazy("kn can only add one toleration, with key, operator, value and effect."),
    KnLimit.MOUNT: gettext_lazy(
        "kn cannot create these volume mounts: it can add and remove simple ones, but not edit them."
    ),
    KnLimit.TRAFFIC: gettext_lazy(
        "kn cannot create this split: it drops targets that have neither traffic nor a tag, and allows one "
        "share per revision and one tag for @latest."
    ),
}
