"""The steps of an operation in words, and their marks."""

from django.utils.translation import gettext_lazy

from console.operations.steps import Name, State

NAMES = {
    Name.SUBMITTED: gettext_lazy("Submitted"),
    Name.WRITTEN: gettext_lazy("Written to the cluster"),
    Name.REVISION: gettext_lazy("Revision created"),
    Name.READY: gettext_lazy("Revision ready"),
    Name.TRAFFIC: gettext_lazy("Traffic moved"),
    Name.SERVING: gettext_lazy("Serving"),
    Name.DELETED: gettext_lazy("Deleted from the cluster"),
}
STATES = {
    State.DONE: gettext_lazy("done"),
    State.CURRENT: gettext_lazy("in progress"),
    State.FAILED: gettext_lazy("not reached"),
    State.OPEN: gettext_lazy("not reached"),
}
ICONS = {
    State.DONE: "check-circle-fill",
    State.CURRENT: "arrow-repeat",
    State.FAILED: "x-circle-fill",
    State.OPEN: "circle",
}
