"""Texts about a split: its presets, its problems, what it leaves out."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative import presets
from console.knative.traffic import LATEST, TrafficTarget

MAX_NAMED = 3  # revisions in the words of a button

PROBLEMS = {
    "percent-not-a-number": gettext_lazy("“%(value)s” is not a whole number. Enter a percentage from 0 to 100."),
    "percent-range": gettext_lazy("%(value)s is not between 0 and 100."),
    "sum": gettext_lazy("Percentages add up to %(sum)s. They must total 100."),
    "tag-duplicate": gettext_lazy("The tag “%(tag)s” is listed twice. A tag points to one revision only."),
    "tag-invalid": gettext_lazy(
        "“%(tag)s” is not a valid tag. Use at most 63 lowercase letters, digits and “-”, starting with a letter."
    ),
    "revision-needed": gettext_lazy("Choose a revision for this target."),
    "revision-foreign": gettext_lazy("%(revision)s is a revision of another service, %(owner)s."),
    "revisions-gone": gettext_lazy(
        "The revisions that would get the traffic no longer exist (%(revisions)s). Choose another split."
    ),
    "too-many-rows": gettext_lazy("This form holds at most %(limit)s targets. Edit the YAML instead."),
    "revision-unknown": gettext_lazy("The revision %(revision)s does not exist."),
}
PRESETS = {
    presets.Name.CANARY_5: gettext_lazy("Canary 5%"),
    presets.Name.CANARY_10: gettext_lazy("Canary 10%"),
    presets.Name.HALVES: "50/50",
    presets.Name.THIRDS: "50/25/25",
    presets.Name.LATEST: gettext_lazy("Latest 100%"),
}


def shares_words(shares: Mapping[str, int]) -> str:
    """A split in words: the name where one revision gets everything, else `50% hello-00001, 50% hello-00002`."""
    if list(shares.values()) == [100]:
        return next(iter(shares))
    return _(", ").join(f"{percent}% {revision}" for revision, percent in shares.items())


def roll_back_label(to: Mapping[str, int]) -> str:
    """A button's words. They name a split of few revisions; the review that follows shows any."""
    if not 0 < len(to) <= MAX_NAMED:
        return _("Roll back")
    return _("Roll back to %(target)s") % {"target": shares_words(to)}


def preset_shares(preset: presets.Preset, latest: str | None) -> str:
    """Return which revision gets what: `shop-00005 10%, shop-00004 90%`; of one that is not possible, why."""
    if preset.served_by:
        return _("%(revision)s already serves 100%%") % {"revision": preset.served_by}
    named = {LATEST: _("@latest (now %(revision)s)") % {"revision": latest or "–"}}
    return ", ".join(f"{named.get(name, name)} {percent}%" for name, percent in preset.shares)


def left_out(target: TrafficTarget, *, is_gone: bool) -> str:
    """Return that a split leaves a target out, and why."""
    facts = {"revision": target.revision, "tag": target.tag or "", "percent": target.percent or 0}
    if is_gone and target.percent:
        text = _("Leaves out %(revision)s, which no longer exists. Its %(percent)s%% goes to the other targets.")
    elif is_gone and target.tag:
        text = _("Leaves out %(revision)s (tag “%(tag)s”), which no longer exists.")
    elif is_gone:
        text = _("Leaves out %(revision)s, which no longer exists.")
    else:
        text = _("Leaves out %(revision)s: it belongs to another service, and this cluster routes no traffic to it.")
    return text % facts
