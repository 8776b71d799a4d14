"""Who changed something, in words: persons of the console, and identities of a cluster that may have the same names."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative.authors import ActorKind, Author

KINDS = {
    ActorKind.PERSON.value: gettext_lazy("Person"),
    ActorKind.CLUSTER.value: gettext_lazy("Cluster identity"),
    ActorKind.CONSOLE.value: gettext_lazy("Console"),
    ActorKind.UNKNOWN.value: gettext_lazy("unknown"),
}


def identity(name: str) -> str:
    """Return who that is of the cluster's users: no person of the console, even of the same name."""
    return _("%(name)s (cluster identity)") % {"name": name}


def author(one: Author) -> str:
    """Return the author of a change for a sentence; a question mark where it is not known."""
    return identity(one.name) if one.kind == ActorKind.CLUSTER else one.name or "?"
