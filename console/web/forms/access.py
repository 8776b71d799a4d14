"""Forms of teams, members, grants, roles and people."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.access.models import Role, User
from console.access.permissions import LABELS, Permission
from console.access.scopes import Scope, parse_selector
from console.knative import validation
from console.web import words

_NAMESPACE = re.compile(r"[a-z0-9*-]{1,63}")
_CLUSTER = re.compile(r"[^\s?\[\]\\]{1,100}")
_CSS = {"checkbox": "form-check-input", "select": "form-select"}
MINUTE = "%Y-%m-%dT%H:%M"  # as a datetime-local input sends it


class Styled:
    """Gives a form's fields the console's look."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            kind = getattr(field.widget, "input_type", "text")
            field.widget.attrs.setdefault("class", _CSS.get(kind, "form-control"))
            field.widget.attrs.setdefault("autocomplete", "off")


class StyledForm(Styled, forms.Form):
    pass


class PersonField(forms.CharField):
    """The user name of somebody who exists and is active, cleaned to that User."""

    def clean(self, value: Any) -> User | None:
        name = super().clean(value)
        found = User.objects.filter(username__iexact=name, is_active=True).first() if name else None
        if name and found is None:
            raise forms.ValidationError(_("No active user is named “%(name)s”.") % {"name": name})
        return found


class TeamForm(StyledForm):
    """A new team; only an administrator names another first owner than themselves."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    owner = PersonField(
        label=gettext_lazy("First owner"),
        widget=forms.TextInput(attrs={"list": "names"}),
        max_length=150,
        help_text=gettext_lazy("Owners add and remove members. A team always has at least one."),
    )


class TeamEditForm(StyledForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    oidc_group = forms.CharField(
        label=gettext_lazy("Identity provider group"),
        max_length=200,
        required=False,
        help_text=gettext_lazy(
            "Group members join this team at sign-in and leave it when they leave the group. Optional."
        ),
    )


class MembershipForm(StyledForm):
    """How somebody is a member: as an owner or not, until when."""

    is_owner = forms.BooleanField(label=gettext_lazy("Owner: can manage members"), required=False)
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Expires (UTC)"),
        required=False,
        input_formats=[MINUTE, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MINUTE),
        help_text=gettext_lazy("All permissions through this team end at that time. Leave empty for no expiry."),
    )

    def clean_expires_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["expires_at"]
        if moment and moment <= timezone.now():
            raise forms.ValidationError(_("This time is in the past. Choose a later one, or remove the member."))
        return moment


class MemberForm(MembershipForm):
    username = PersonField(
        label=gettext_lazy("User name"), max_length=150, widget=forms.TextInput(attrs={"list": "names"})
    )
    field_order = ("username", "expires_at", "is_owner")


class RoleField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A choice of roles, each with what it holds now, so that a granter sees what they give."""

    def label_from_instance(self, role: Role) -> str:
        return f"{role.name} ({', '.join(role.permissions) or '–'})"


class GrantForm(StyledForm):
    """A role somewhere."""

    role = RoleField(Role.objects.all(), label=gettext_lazy("Role"), empty_label=None)
    cluster = forms.CharField(
        label=gettext_lazy("Cluster"),
        initial="*",
        max_length=100,
        help_text=gettext_lazy("A name, or a pattern with *."),
        widget=forms.TextInput(attrs={"list": "clusters"}),
    )
    namespace = forms.CharField(
        label=gettext_lazy("Namespace"), max_length=63, help_text=gettext_lazy("A name, or a pattern with *.")
    )
    selector = forms.CharField(
        label=gettext_lazy("Labels"),
        max_length=300,
        required=False,
        help_text=gettext_lazy(
            "Only services with these labels, for example app=shop,tier=front. Leave empty for all."
        ),
    )

    def clean_cluster(self) -> str:
        return self._matched("cluster", _CLUSTER)

    def clean_namespace(self) -> str:
        return self._matched("namespace", _NAMESPACE)

    def clean_selector(self) -> dict[str, str]:
        text = self.cleaned_data["selector"]
        try:
            labels = parse_selector(text)
        except ValueError as error:
            raise forms.ValidationError(
                _("“%(part)s” is not key=value. Separate labels with commas.") % {"part": error}
            ) from None
        if len(labels) != len([part for part in text.split(",") if part.strip()]):
            raise forms.ValidationError(_("A label is listed twice. A service has only one value per label."))
        problems = [problem for key, value in labels.items() if (problem := validation.label(key, value))]
        if problems:
            raise forms.ValidationError([words.problem(problem) for problem in problems])
        return labels

    @property
    def scope(self) -> Scope:
        data = self.cleaned_data
        return Scope(data["cluster"], data["namespace"], data["selector"])

    def _matched(self, name: str, wanted: re.Pattern[str]) -> str:
        value = str(self.cleaned_data[name]).strip()
        if not wanted.fullmatch(value):
            raise forms.ValidationError(
                _("“%(value)s” is neither a name nor a pattern. The only wildcard is *, for example team-*.")
                % {"value": value}
            )
        return value


class RoleForm(StyledForm):
    """A name and what it allows; the name of a built-in role stays."""

    name = forms.SlugField(label=gettext_lazy("Name"), max_length=50)
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"),
        choices=[(permission.value, LABELS[permission]) for permission in Permission],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, is_built_in: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].disabled = is_built_in


class PersonForm(Styled, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Only a user name: the password is set by the person, through a link."""

    class Meta:
        model = User
        fields = ("username",)
        labels = {"username": gettext_lazy("User name")}
