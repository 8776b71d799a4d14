"""The one button that makes a change real, named by what it does: `Deploy`, `Route traffic`, `Delete hello`."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from console.knative.changes import Act, Change, act_of
from console.knative.objects import Service
from console.web.traffic_words import roll_back_label

LABELS = {
    Act.DEPLOY: gettext_lazy("Deploy"),
    Act.ROUTE: gettext_lazy("Route traffic"),
    Act.ROLL_BACK: gettext_lazy("Roll back"),
    Act.RESTART: gettext_lazy("Restart %(name)s"),
    Act.CREATE: gettext_lazy("Create %(name)s"),
    Act.DELETE: gettext_lazy("Delete %(name)s"),
}
# Of a bulk edit; what cannot be done to many services at once has none.
MANY = {
    Act.DEPLOY: ngettext_lazy("Deploy to %(count)s service", "Deploy to %(count)s services", "count"),
    Act.RESTART: ngettext_lazy("Restart %(count)s service", "Restart %(count)s services", "count"),
}
_APPLY_TO = ngettext_lazy("Apply to %(count)s service", "Apply to %(count)s services", "count")
_REQUEST_FOR = ngettext_lazy(
    "Request approval for %(count)s service", "Request approval for %(count)s services", "count"
)
_AND_REQUEST = ngettext_lazy(
    "%(made)s, request approval for %(count)s", "%(made)s, request approval for %(count)s", "count"
)


@dataclass(frozen=True, slots=True)
class LastStep:
    """The button's words; red where it takes away what cannot be brought back."""

    label: str
    is_danger: bool = False


def last_step(change: Change, service: Service, *, makes_revision: bool, needs_approval: bool) -> LastStep:
    """Return the button of a change of one service as it is before the change, or of a new one as it will be."""
    act = act_of(change)
    if needs_approval:
        return LastStep(_("Request approval"))
    if act is Act.DEPLOY and not makes_revision:
        return LastStep(_("Apply"))
    if back := next(filter(None, (part.leads_back_to(service) for part in change.parts)), None):
        return LastStep(roll_back_label(back))
    return LastStep(str(LABELS[act]) % {"name": change.object_name(service)}, act is Act.DELETE)


def last_step_of_many(changes: Collection[Change], *, makes_revisions: bool, waiting: int) -> LastStep:
    """Return the button of one change of many services, of which `waiting` only ask for an approval."""
    made = len(changes) - waiting
    if not made:
        return LastStep(str(_REQUEST_FOR % {"count": waiting}))
    acts = {act_of(change) for change in changes}
    words = MANY.get(acts.pop(), _APPLY_TO) if len(acts) == 1 and makes_revisions else _APPLY_TO
    label = str(words % {"count": made})
    if waiting:
        label = str(_AND_REQUEST % {"made": label, "count": waiting})
    return LastStep(label)
