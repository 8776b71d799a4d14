"""The traffic of a service over time, in words."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from console.operations.traffic_history import Recorded, Step
from console.web import author_words, words


def step(found: Step) -> str:
    """Return what a step of the chart says when pointed at: since when, who got what, by whom."""
    told = [moment(found.begin), split(found.shares), who(found.by) if found.by else ""]
    return " · ".join(filter(None, told))


def moment(found: datetime) -> str:
    return f"{found:%Y-%m-%d %H:%M} UTC"


def split(shares: Mapping[str, int] | None) -> str:
    """Return `90% hello-00001, 10% hello-00002`; a word where nothing served, or nobody knows."""
    if shares is None:
        return _("unknown")
    return _(", ").join(f"{percent}% {name}" for name, percent in shares.items()) or _("no traffic")


def who(found: Recorded) -> str:
    """Return what began a step: an operation's kind, or that it came from outside, and its author where known."""
    what = str(words.KINDS.get(found.kind, found.kind)) if found.operation else _("External change")
    actor = found.actor if found.operation or not found.actor else author_words.identity(found.actor)
    return _("%(what)s by %(who)s") % {"what": what, "who": actor} if actor else what
