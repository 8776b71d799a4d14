"""A new service: name, place, image, and a few variables."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.knative import validation
from console.knative.changes import CreateService
from console.knative.objects import USER_IMAGE
from console.knative.references import ServiceRef
from console.knative.traffic import Problem
from console.web import words
from console.web.forms.env import parse_env_lines


class CreateForm(forms.Form):
    """`places` are the (cluster, namespace) pairs in which the person may deploy."""

    place = forms.ChoiceField(label=_("Namespace"))
    name = forms.CharField(label=_("Name"), max_length=63)
    image = forms.CharField(label=_("Image"), max_length=1024)
    port = forms.IntegerField(
        label=_("Port"), required=False, min_value=1, max_value=65535, help_text=_("Default: 8080")
    )
    variables = forms.CharField(
        label=_("Variables"), required=False, widget=forms.Textarea, help_text=_("Lines of NAME=value")
    )
    cluster_local = forms.BooleanField(label=_("Reachable from inside the cluster only"), required=False)

    def __init__(self, places: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        several = len({cluster for cluster, _namespace in places}) > 1
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            (f"{cluster}/{namespace}", f"{namespace} ({cluster})" if several else namespace)
            for cluster, namespace in places
        ]
        for field in self.fields.values():
            checkbox = isinstance(field, forms.BooleanField)
            css = (
                "form-check-input"
                if checkbox
                else "form-select"
                if isinstance(field, forms.ChoiceField)
                else "form-control"
            )
            field.widget.attrs["class"] = css

    def clean_name(self) -> str:
        return self._checked("name", validation.service_name)

    def clean_image(self) -> str:
        return self._checked("image", validation.image)

    def clean_variables(self) -> Any:
        entries, problems = parse_env_lines(self.cleaned_data["variables"])
        if problems:
            raise forms.ValidationError([words.problem(problem) for problem in problems])
        return entries

    def _checked(self, name: str, check: Any) -> str:
        value = str(self.cleaned_data[name]).strip()
        found: Problem | None = check(value)
        if found:
            raise forms.ValidationError(words.problem(found))
        return value

    @property
    def ref(self) -> ServiceRef:
        cluster, _slash, namespace = self.cleaned_data["place"].partition("/")
        return ServiceRef(cluster, namespace, self.cleaned_data["name"])

    @property
    def change(self) -> CreateService:
        data, ref = self.cleaned_data, self.ref
        container: dict[str, Any] = {"image": data["image"]}
        if data["port"]:
            container["ports"] = [{"containerPort": data["port"]}]
        if data["variables"]:
            container["env"] = [entry.to_raw() for entry in data["variables"]]
        metadata: dict[str, Any] = {"name": ref.name, "namespace": ref.namespace}
        if data["cluster_local"]:
            metadata["labels"] = {"networking.knative.dev/visibility": "cluster-local"}
        template = {"metadata": {"annotations": {USER_IMAGE: data["image"]}}, "spec": {"containers": [container]}}
        kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
        return CreateService({**kind, "metadata": metadata, "spec": {"template": template}})
