"""An entry of the log as one sentence with its names: `dora approved alice's change of payments/checkout (TARGET)`.

Pages show the code beside it; exports and filters have the code alone.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.utils.functional import Promise
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from console.access.permissions import LABELS
from console.audit.models import Entry
from console.audit.outcomes import Outcome
from console.knative import paths
from console.knative.authors import ActorKind
from console.knative.diff import FieldChange
from console.operations.models.statuses import Status
from console.operations.queries import Made
from console.web import audit_words, author_words, change_words
from console.web.sentence_texts import (
    CHANGE,
    DENIED,
    ENDED,
    NOT_ALLOWED,
    NOT_ALLOWED_ON,
    OWN_CHANGE,
    SENTENCES,
    UNKNOWN,
    UNKNOWN_ON,
    WHEN_FAILED,
    WHEN_REFUSED,
)
from console.web.words import KINDS

MAX_NAMES = 3  # of the fields that a sentence lists
_TEAM_AND_REST = re.compile(r"^(?P<first>.+?)(?: in |: )(?P<second>.+)$", re.DOTALL)
_CODE = re.compile(r": [a-z-]+$")  # of a rule, behind what a refused entry is about


class Parts(NamedTuple):
    """What a sentence can name, each as it is to be shown: text, or markup that is safe."""

    who: str
    object: str
    whose: str


def plain(entry: Entry, made: Mapping[UUID, Made]) -> str:
    """Return the sentence as text."""
    told = _made_of(entry, made)
    return _said(entry, told, Parts(who(entry), object_of(entry), told.author if told else ""))


def html(entry: Entry, made: Mapping[UUID, Made], parts: Parts) -> SafeString:
    """Return the sentence around parts that are markup already; everything else is escaped."""
    told = _made_of(entry, made)
    safe = Parts(*(conditional_escape(part) for part in parts))
    return mark_safe(_said(entry, told, safe, is_html=True))  # noqa: S308  each part was escaped above


def who(entry: Entry) -> str:
    """Return the name of who acted, for a sentence."""
    names = {
        ActorKind.CLUSTER: author_words.identity(entry.actor),
        ActorKind.CONSOLE: _("The console"),
        ActorKind.UNKNOWN: _("An unknown author"),
    }
    return names.get(entry.actor_kind, entry.actor) or _("An unknown author")


def object_of(entry: Entry) -> str:
    """Return what the entry is about: `payments/checkout`, or the name of a cluster; empty where it is neither."""
    return f"{entry.namespace}/{entry.service}" if entry.service else entry.cluster


def whose(entry: Entry, made: Mapping[UUID, Made]) -> str:
    """Return who made the change that the entry is about; empty where that is not known."""
    told = _made_of(entry, made)
    return told.author if told else ""


def has_text(entry: Entry) -> bool:
    """Whether the sentence has the entry's own text in it."""
    template = str(_template(entry, Parts("", object_of(entry), "")))
    return any(f"%({name})s" in template for name in ("text", "about", "second"))


def _made_of(entry: Entry, made: Mapping[UUID, Made]) -> Made | None:
    return made.get(entry.operation) if entry.operation else None


def _said(entry: Entry, told: Made | None, parts: Parts, *, is_html: bool = False) -> str:
    template, facts = str(_template(entry, parts)), _facts(entry, told)
    if is_html:
        template, facts = conditional_escape(template), {name: conditional_escape(fact) for name, fact in facts.items()}
    return template % {**facts, **parts._asdict()}


def _template(entry: Entry, parts: Parts) -> str | Promise:
    """The sentence of the entry's action and outcome. An action of a later version has one with its code."""
    return _not_done(entry) or SENTENCES.get(entry.action) or _of_family(entry, bool(parts.object))


def _not_done(entry: Entry) -> str | Promise:
    """The sentence of an attempt that was refused or failed; empty where the action's own one says it."""
    family, code = entry.action.partition(".")[0], entry.action
    if entry.outcome == Outcome.FAILED:
        return WHEN_FAILED.get(code, "")
    if entry.outcome != Outcome.REFUSED:
        return ""
    if family == "protect" and entry.text.endswith(" own change"):
        return OWN_CHANGE
    return WHEN_REFUSED.get(code) or (DENIED if family == "manage" and code in SENTENCES else "")


def _of_family(entry: Entry, has_object: bool) -> str | Promise:
    family, _dot, what = entry.action.partition(".")
    if family == "operation":
        return ENDED
    if what in KINDS:
        return CHANGE
    if what == "refused" and family in LABELS:
        return NOT_ALLOWED_ON if has_object else NOT_ALLOWED
    return UNKNOWN_ON if has_object else UNKNOWN


def _facts(entry: Entry, told: Made | None) -> dict[str, str]:
    family, _dot, what = entry.action.partition(".")
    about = _CODE.sub("", entry.text) if entry.outcome == Outcome.REFUSED else entry.text
    split = _TEAM_AND_REST.match(about)
    kind = told.kind if told else entry.text.partition(" ")[0] if entry.operation else ""
    return {
        "code": entry.action,
        "about": about,
        "first": split["first"] if split else about,
        "second": split["second"] if split else "–",
        "what": str(KINDS.get(what, "") or KINDS.get(kind, kind) or _("change")),
        "status": str(Status(what).label) if what in Status.values else what,
        "permission": str(LABELS.get(family, family)),
        "action": str(audit_words.ACTIONS.get(entry.action, entry.action)),
        "text": audit_words.text(entry),
        "fields": _fields(entry, told),
    }


def _fields(entry: Entry, told: Made | None) -> str:
    """The names of what changed, in brackets behind the object: ` (TARGET, Image)`. Empty where nothing is known."""
    rows = entry.changes if entry.changes and not told else told.changes if told else []
    found = [FieldChange(paths.read(row["field"]), row["before"], row["after"]) for row in rows]
    lines = change_words.lines(found)
    names = list(dict.fromkeys(line.name for line in lines if not line.is_minor)) or [line.name for line in lines]
    more = " …" if len(names) > MAX_NAMES else ""
    listed = _(", ").join(names[:MAX_NAMES])
    return _(" (%(fields)s)") % {"fields": f"{listed}{more}"} if names else ""
