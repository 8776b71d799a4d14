"""A new token: what it is for, what it may, where, and for how long."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from console.access.permissions import LABELS, Permission
from console.web.forms.choices import offer

USUAL_DAYS = 30
_CLUSTER = re.compile(r"^[^\s\[\]?]+$")  # a cluster may be called anything; of the wildcards only * counts
_NAMESPACE = re.compile(r"^[a-z0-9*]([a-z0-9*-]*[a-z0-9*])?$")


class TokenForm(forms.Form):
    """`offered` are the permissions that the person has."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Purpose, for example “status board”"))
    permissions = forms.MultipleChoiceField(
        label=_("Permissions"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one permission.")},
    )
    cluster = forms.CharField(
        label=_("Clusters"), max_length=100, initial="*", help_text=_("A name, or a pattern with *.")
    )
    namespace = forms.CharField(
        label=_("Namespaces"), max_length=100, initial="*", help_text=_("A name, or a pattern with *.")
    )

    def __init__(self, offered: tuple[Permission, ...], data: Any = None) -> None:
        super().__init__(data)
        most = settings.TOKEN_MAX_DAYS
        offer(self, "permissions", ((one.value, LABELS[one]) for one in offered))
        self.fields["permissions"].initial = [Permission.VIEW.value]
        self.fields["days"] = forms.IntegerField(
            label=_("Days until it expires"),
            min_value=1,
            max_value=most,
            initial=min(USUAL_DAYS, most),
            help_text=_("At most %(days)s.") % {"days": most},
        )
        for name in ("name", "cluster", "namespace", "days"):
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean_cluster(self) -> str:
        value = str(self.cleaned_data["cluster"])
        if not _CLUSTER.match(value):
            raise forms.ValidationError(_("Enter a name or a pattern such as prod-*, without spaces, brackets or “?”."))
        return value

    def clean_namespace(self) -> str:
        value = str(self.cleaned_data["namespace"])
        if not _NAMESPACE.match(value):
            raise forms.ValidationError(
                _("Enter a name or a pattern such as team-*: lowercase letters, digits, “-” and “*”.")
            )
        return value
