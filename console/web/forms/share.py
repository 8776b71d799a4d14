"""What the revision gets that a form makes: what the present rule says, everything, nothing but a tag, or so much."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative.changes import RouteNewRevision
from console.knative.next_revision import needs_ready_revision, share_of_next
from console.knative.objects import Service

RULE, LIVE, NONE, PERCENT = "rule", "live", "none", "percent"
CANDIDATE = "candidate"  # the tag of a revision that is to be tried, unless another one is typed


class ShareForm(forms.Form):
    """The rule is the present one unless something else is chosen. The others change the split, so they need its right.

    `may_route`: the person has that right. Who sends another choice all the same is refused by what it does.
    """

    share = forms.ChoiceField(required=False, choices=[(name, name) for name in (RULE, LIVE, NONE, PERCENT)])
    share_percent = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100,
        label=gettext_lazy("Share of the new revision (%)"),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "class": "form-control input-percent"}),
    )
    share_tag = forms.RegexField(
        r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        required=False,
        label=gettext_lazy("Tag"),
        error_messages={"invalid": gettext_lazy("Use lowercase letters, digits and “-”, starting with a letter.")},
        widget=forms.TextInput(
            {"autocomplete": "off", "spellcheck": "false", "class": "form-control input-tag", "placeholder": CANDIDATE}
        ),
    )

    def __init__(self, service: Service, data: Mapping[str, Any] | None = None, *, may_route: bool = True) -> None:
        super().__init__(data if data and "share" in data else None)
        self.may_route = may_route
        self.present = share_of_next(service.spec_traffic)
        self.has_ready_revision = service.latest_ready_revision is not None or not needs_ready_revision(
            service.spec_traffic, 0
        )

    @property
    def chosen(self) -> str:
        """The choice as it was made; the present rule when none was."""
        return str(self.data.get("share", "")) or RULE

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """(name, label, may be chosen) of each."""
        found = [(RULE, self._rule_label(), True)]
        if self.present < 100:
            found.append((LIVE, _("Go live: it gets 100% as soon as it is ready"), self.may_route))
        can_share = self.may_route and self.has_ready_revision
        found.append((NONE, _("Try it first: it gets 0% and a tag with a URL of its own"), can_share))
        found.append((PERCENT, _("Part of the traffic: the rest stays where it is now"), can_share))
        return found

    @property
    def change(self) -> RouteNewRevision | None:
        """What a valid form asks for; None for the present rule."""
        tag = self.cleaned_data.get("share_tag", "") if self.is_bound else ""
        if self.chosen == LIVE:
            return RouteNewRevision(100)
        if self.chosen == NONE:
            return RouteNewRevision(0, tag or CANDIDATE)
        return RouteNewRevision(self.cleaned_data["share_percent"], tag) if self.chosen == PERCENT else None

    def clean(self) -> dict[str, Any] | None:
        """Judge the fields of what was chosen alone."""
        if self.chosen != PERCENT:
            self.errors.pop("share_percent", None)
        elif self.cleaned_data.get("share_percent") is None and "share_percent" not in self.errors:
            self.add_error("share_percent", _("Enter a percentage from 1 to 100."))
        if self.chosen not in (NONE, PERCENT):
            self.errors.pop("share_tag", None)
        return super().clean()

    def _rule_label(self) -> str:
        if self.present == 100:
            return _("Go live, as now: it gets 100% as soon as it is ready")
        if self.present:
            return _("As now: it gets %(percent)s%% as soon as it is ready") % {"percent": self.present}
        return _("As now: it gets 0%, traffic stays where it is")
