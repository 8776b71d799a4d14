"""What a change changes, in words: `TARGET: First → Second`, the same on every page, in lists and for an approver.

`lines` takes the rows of a difference; values that those rows mask are not told: `TARGET: changed`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative import changed, images
from console.knative.changed import Fact, Kind, Verb
from console.knative.diff import FieldChange
from console.knative.images import Reference
from console.knative.objects import Service
from console.web import whitespace, words

MAX_CHARACTERS = 80  # of one value

VERBS = {
    Verb.ADDED: gettext_lazy("added"),
    Verb.REMOVED: gettext_lazy("removed"),
    Verb.CHANGED: gettext_lazy("changed"),
}
SCALE = {
    "min-scale": gettext_lazy("Min scale"),
    "minScale": gettext_lazy("Min scale"),
    "max-scale": gettext_lazy("Max scale"),
    "maxScale": gettext_lazy("Max scale"),
    "initial-scale": gettext_lazy("Initial scale"),
    "initialScale": gettext_lazy("Initial scale"),
    "activation-scale": gettext_lazy("Activation scale"),
    "metric": gettext_lazy("Metric"),
    "target": gettext_lazy("Target per replica"),
    "target-utilization-percentage": gettext_lazy("Target utilization (%)"),
    "targetUtilizationPercentage": gettext_lazy("Target utilization (%)"),
    "window": gettext_lazy("Stable window"),
}
FIELDS = {
    "args": gettext_lazy("Arguments"),
    "command": gettext_lazy("Command"),
    "containerConcurrency": gettext_lazy("Concurrency limit"),
    "env": gettext_lazy("Environment variables"),
    "envFrom": gettext_lazy("Env from"),
    "imagePullPolicy": gettext_lazy("Image pull policy"),
    "livenessProbe": gettext_lazy("Liveness probe"),
    "ports": gettext_lazy("Port"),
    "readinessProbe": gettext_lazy("Readiness probe"),
    "revisionName": gettext_lazy("Revision name"),
    "serviceAccountName": gettext_lazy("Service account"),
    "startupProbe": gettext_lazy("Startup probe"),
    "idleTimeoutSeconds": gettext_lazy("Idle timeout (s)"),
    "responseStartTimeoutSeconds": gettext_lazy("Response start timeout (s)"),
    "timeoutSeconds": gettext_lazy("Request timeout (s)"),
    "tolerations": gettext_lazy("Tolerations"),
    "traffic": gettext_lazy("Traffic"),
    "volumeMounts": gettext_lazy("Volume mounts"),
}
NO_LIMIT = frozenset({"containerConcurrency", "max-scale", "maxScale"})  # in which 0 means that there is none
# Things that have a name of their own behind the word for their kind.
NAMED = {
    Kind.CONTAINER: gettext_lazy("Container %(name)s"),
    Kind.MOUNT: gettext_lazy("Mount %(name)s"),
    Kind.VOLUME: gettext_lazy("Volume %(name)s"),
    Kind.PULL_SECRET: gettext_lazy("Image pull secret %(name)s"),
    Kind.LABEL: gettext_lazy("Label %(name)s"),
    Kind.ANNOTATION: gettext_lazy("Annotation %(name)s"),
    Kind.REVISION_LABEL: gettext_lazy("Revision label %(name)s"),
    Kind.REVISION_ANNOTATION: gettext_lazy("Revision annotation %(name)s"),
    Kind.NODE_SELECTOR: gettext_lazy("Node selector %(name)s"),
    Kind.TAG: gettext_lazy("Tag %(name)s"),
}
ALONE = {
    Kind.IMAGE: gettext_lazy("Image"),
    Kind.VISIBILITY: gettext_lazy("Visibility"),
    Kind.NEW_REVISION: gettext_lazy("New revision"),
    Kind.NEW_REVISIONS: gettext_lazy("New revisions"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that changes: what it is, and what becomes of it (`First → Second`, `changed`)."""

    name: str
    what: str
    kind: Kind
    is_minor: bool = False

    @property
    def label(self) -> str:
        """What precedes `what`."""
        return _("%(name)s:") % {"name": self.name} if self.what else self.name

    @property
    def text(self) -> str:
        return _("%(name)s: %(what)s") % {"name": self.name, "what": self.what} if self.what else self.name

    def __str__(self) -> str:
        return self.text


def lines(rows: Iterable[FieldChange | Mapping[str, Any]], service: Service | None = None) -> tuple[Line, ...]:
    """Return what changes, one line for each thing; of the rows of a difference, or those that an operation stored.

    `service` is what it was before, where that is known (`changed.facts`).
    """
    read = [row if isinstance(row, FieldChange) else _stored(row) for row in rows]
    return tuple(_line(fact) for fact in changed.facts(read, service))


def summary(found: Sequence[Line], limit: int = 2) -> str:
    """Return the first lines as one text, for lists: `TARGET: changed; image: go → rust and 3 more`."""
    told = _("; ").join(line.text for line in found[:limit])
    if len(found) <= limit:
        return told
    return _("%(lines)s and %(count)s more") % {"lines": told, "count": len(found) - limit}


def amount(field: str, text: str) -> str:
    """The value of a field as people read it: a limit of 0 is none."""
    return _("no limit") if text == "0" and field in NO_LIMIT else text


def _stored(row: Mapping[str, Any]) -> FieldChange:
    return FieldChange(tuple(row["path"]), row["before"], row["after"], bool(row.get("secret")))


def _line(fact: Fact) -> Line:
    return Line(_name(fact), _what(fact), fact.kind, fact.is_minor)


def _name(fact: Fact) -> str:
    if fact.kind is Kind.REDEPLOY:
        return _("New revision, same spec")
    name = _plain_name(fact)
    return _("%(name)s (%(container)s)") % {"name": name, "container": fact.container} if fact.container else name


def _plain_name(fact: Fact) -> str:
    """What the thing is called; a word of ours begins in lower case, as in a sentence."""
    if fact.kind in (Kind.VARIABLE, Kind.SHARE, Kind.DELETION):
        return fact.name
    if fact.kind is Kind.RESOURCE:
        name, _dot, which = fact.name.rpartition(".")
        return _in_sentence(words.resource(name, which))
    if fact.kind in (Kind.SCALE, Kind.FIELD):
        first, space, inside = fact.name.partition(" ")
        known = SCALE if fact.kind is Kind.SCALE else FIELDS
        return f"{_in_sentence(str(known.get(first, first)))}{space}{inside}"
    pattern = ALONE.get(fact.kind) or NAMED[fact.kind]
    return _in_sentence(str(pattern) % {"name": fact.name})


def _in_sentence(text: str) -> str:
    """The text without its capital, unless the whole word has them (CPU)."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _what(fact: Fact) -> str:
    if fact.kind is Kind.REDEPLOY:
        return ""
    if fact.kind is Kind.DELETION:
        return _("deleted")
    if fact.verb:
        return str(VERBS[fact.verb])
    before, after = _values(fact)
    if fact.kind is Kind.NEW_REVISION or (fact.is_new and before is None):
        return after or ""
    if before == after:
        return str(VERBS[Verb.CHANGED])
    return f"{_shown(before)} → {_shown(after)}"


def _values(fact: Fact) -> tuple[str | None, str | None]:
    if fact.kind is Kind.IMAGE:
        return _images(fact.before, fact.after)
    if fact.kind in (Kind.FIELD, Kind.SCALE):
        before, after = (text and amount(fact.name, text) for text in (fact.before, fact.after))
        return _shortened(before), _shortened(after)
    return _shortened(fact.before), _shortened(fact.after)


def _images(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Two images by what tells them apart; where that is nothing, as they are written."""
    if before is None or after is None:
        return _image(Reference.read(before)) if before else None, _image(Reference.read(after)) if after else None
    was, becomes = (_image(one) for one in images.told_apart(before, after))
    return (was, becomes) if was != becomes else (before, after)


def _image(found: Reference) -> str:
    name = f"{found.repository}:{found.tag}" if found.tag else found.repository
    if not found.digest:
        return name
    return _("%(image)s (pinned to %(digest)s)") % {"image": name, "digest": found.digest.removeprefix("sha256:")[:6]}


def _shortened(text: str | None) -> str | None:
    if text is None:
        return None
    line = whitespace.visible(text)
    cut = line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 1]}…"
    unseen = whitespace.edges(text)
    return _("%(value)s (%(note)s)") % {"value": cut, "note": unseen} if unseen else cut


def _shown(text: str | None) -> str:
    """The value; what is missing, and what is empty, by a word."""
    if text is None:
        return _("not set")
    return text or _("empty")
