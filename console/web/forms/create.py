"""A new service: name, place, image, a few variables; and a copy of an existing one."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import validation
from console.knative.capabilities import Capabilities
from console.knative.changes import ChangeRefused, CreateService
from console.knative.containers import Container
from console.knative.objects import USER_IMAGE, Service
from console.knative.problems import Problem
from console.knative.references import ServiceRef
from console.web import words
from console.web.forms.choices import offer
from console.web.forms.env_text import read_variables
from console.web.forms.settings import SettingsForm

Places = Sequence[tuple[str, str]]  # (cluster, namespace)


class PlaceForm(forms.Form):
    """Where a new service is created. `places` are those in which the person may deploy."""

    place = forms.ChoiceField(label=_("Namespace"))
    name = forms.CharField(label=_("Name"), max_length=63)

    def __init__(self, places: Places, data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        offer(self, "place", _labelled(places))
        for field in self.fields.values():
            is_choice = isinstance(field, forms.ChoiceField)
            field.widget.attrs["class"] = "form-select" if is_choice else "form-control"

    def clean_name(self) -> str:
        return self._checked("name", validation.service_name)

    def _checked(self, name: str, check: Any) -> str:
        value = str(self.cleaned_data[name]).strip()
        found: Problem | None = check(value)
        if found:
            raise forms.ValidationError(words.problem(found))
        return value

    @property
    def has_problems(self) -> bool:
        return bool(self.errors)

    @property
    def ref(self) -> ServiceRef:
        cluster, _slash, namespace = self.cleaned_data["place"].partition("/")
        return ServiceRef(cluster, namespace, self.cleaned_data["name"])


class CloneForm(PlaceForm):
    """Where the copy is created, and which image it runs."""

    image = forms.CharField(
        label=_("Image"), max_length=1024, required=False, help_text=_("Leave empty to keep the same image")
    )

    change: CreateService | None = None  # only the cluster has all that is copied

    def clean_image(self) -> str:
        return self._checked("image", validation.image) if self.cleaned_data["image"] else ""


class CreateForm(PlaceForm):
    """The few fields that every service needs; `settings` are all the others."""

    image = forms.CharField(label=_("Image"), max_length=1024)
    variables = forms.CharField(
        label=_("Environment variables"), required=False, widget=forms.Textarea, help_text=_("One NAME=value per line")
    )

    def __init__(
        self,
        places: Places,
        data: Any = None,
        capabilities: Capabilities | None = None,
        place: tuple[str, str] | None = None,
    ) -> None:
        """`place` is chosen already; without one somebody has to choose."""
        super().__init__(places, data, initial={"place": "/".join(place)} if place else None)
        if not place:
            offer(self, "place", [("", _("Choose a namespace")), *_labelled(places)])
        self.settings = SettingsForm(Service({}), Container({}), data, capabilities=capabilities)

    def clean_image(self) -> str:
        return self._checked("image", validation.image)

    def clean_variables(self) -> Any:
        entries, problems = read_variables(self.cleaned_data["variables"])
        if problems:
            raise forms.ValidationError([words.problem(problem) for problem in problems])
        return entries

    @property
    def has_problems(self) -> bool:
        return bool(self.errors or self.settings.errors)

    def is_valid(self) -> bool:
        """Every field of both forms, and the service that they create."""
        if not (super().is_valid() & self.settings.is_valid()):
            return False
        try:
            self._made = self._manifest()
        except ChangeRefused as refusal:
            self.add_error(None, words.problem(refusal.problem))
            return False
        return True

    @property
    def change(self) -> CreateService:
        """The change that a valid form means."""
        return CreateService(self._made)

    def _manifest(self) -> dict[str, Any]:
        data, ref = self.cleaned_data, self.ref
        container: dict[str, Any] = {"image": data["image"]}
        if data["variables"]:
            container["env"] = [entry.to_raw() for entry in data["variables"]]
        template = {"metadata": {"annotations": {USER_IMAGE: data["image"]}}, "spec": {"containers": [container]}}
        plain = Service(
            {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {"name": ref.name, "namespace": ref.namespace},
                "spec": {"template": template},
            }
        )
        more = self.settings.change
        return dict((more.apply(plain) if more else plain).raw)


def _labelled(places: Places) -> list[tuple[str, str]]:
    several = len({cluster for cluster, _namespace in places}) > 1
    return [(f"{cluster}/{name}", f"{name} ({cluster})" if several else name) for cluster, name in places]
