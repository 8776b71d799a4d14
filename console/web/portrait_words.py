"""What pages say of a service at a moment."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.knative.portrait import Kind

KINDS: Mapping[Kind, str | Promise] = {
    Kind.IMAGE: gettext_lazy("Image"),
    Kind.SERVING: gettext_lazy("Current traffic"),
    Kind.SPLIT: gettext_lazy("Split as requested"),
    Kind.SCALE: gettext_lazy("Scaling"),
    Kind.VARIABLE: gettext_lazy("Environment variables"),
    Kind.VARIABLES_FROM: gettext_lazy("Env from"),
    Kind.LABEL: gettext_lazy("Labels"),
}
