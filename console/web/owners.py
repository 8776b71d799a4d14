"""What another tool will undo of a change that is made here, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from console.knative.owners import Owner, Undoes

_SENTENCES: Mapping[Undoes, Promise] = {
    Undoes.ALL: gettext_lazy(
        "%(tool)s manages this service and will revert it to match its source. Make the change there, too."
    ),
    Undoes.AT_NEXT_DEPLOYMENT: gettext_lazy(
        "%(tool)s deploys this service. Its next deployment will overwrite this change: make it there, too."
    ),
    Undoes.TRAFFIC: gettext_lazy(
        "%(tool)s controls the traffic of this service and will overwrite a split that is set here."
    ),
}
_IN_SHORT: Mapping[Undoes, Promise] = {
    Undoes.ALL: gettext_lazy("managed by %(tool)s, will be reverted"),
    Undoes.AT_NEXT_DEPLOYMENT: gettext_lazy("deployed by %(tool)s, overwritten by its next deployment"),
    Undoes.TRAFFIC: gettext_lazy("traffic controlled by %(tool)s"),
}


def sentence(owner: Owner) -> str:
    """Return what the tool will undo, for a form and a review."""
    return str(_SENTENCES[owner.undoes]) % {"tool": owner}


def in_short(owner: Owner) -> str:
    """Return what the tool will undo, for a row among others."""
    return str(_IN_SHORT[owner.undoes]) % {"tool": owner}
