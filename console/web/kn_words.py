"""Why kn cannot express a change, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.knative.kn_command import KnLimit

KN_LIMITS: Mapping[KnLimit, Promise] = {
    KnLimit.OTHER_CONTAINER: gettext_lazy(
        "kn edits only the first container of a service, and this change is in another one."
    ),
    KnLimit.NAMED_TEMPLATE: gettext_lazy(
        "The template names its revision: kn keeps that name, and Knative accepts each name only once."
    ),
    KnLimit.NO_FLAG: gettext_lazy("kn has no flag for one of the fields that change."),
    KnLimit.NO_REMOVAL: gettext_lazy("kn can set one of the fields that are removed, but not remove it."),
    KnLimit.VARIABLES: gettext_lazy(
        "kn cannot set these environment variables: one is listed twice, moves, or comes from something else than a "
        "key of a Secret or ConfigMap."
    ),
    KnLimit.ENV_FROM: gettext_lazy(
        "kn does not distinguish sources of variables by prefix, and knows neither optional ones nor their order."
    ),
    KnLimit.PROBE: gettext_lazy(
        "kn sets only readiness and liveness probes by HTTP, TCP or exec, without headers, and without commas or "
        "colons in their parts."
    ),
    KnLimit.PULL_SECRETS: gettext_lazy("kn sets only one image pull secret."),
    KnLimit.ANNOTATION_ON_BOTH: gettext_lazy(
        "kn removes an annotation from the service and from its template together, and one of them keeps it."
    ),
    KnLimit.TOLERATIONS: gettext_lazy("kn can only add one toleration, made of key, operator, value and effect."),
    KnLimit.MOUNT: gettext_lazy("kn cannot make these volume mounts: it adds and removes simple ones, and edits none."),
    KnLimit.TRAFFIC: gettext_lazy(
        "kn cannot make this split: it drops targets without traffic and tag, and gives a revision one share and "
        "@latest one tag."
    ),
}
