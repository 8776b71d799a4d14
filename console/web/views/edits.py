"""The forms that edit a service: an image, the settings, the whole manifest."""

from typing import Any

from django.http.response import HttpResponseBase

from console.access.decorators import refuse
from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import capabilities, read
from console.web import yaml_fields
from console.web.actions import service_url
from console.web.form_choices import choices_for
from console.web.forms import image_pinning
from console.web.forms.image import ImageForm
from console.web.forms.settings import SettingsForm
from console.web.forms.yaml import YamlForm
from console.web.typed import wants_preview
from console.web.views.changes import ChangeView, container_of

MAX_KNOWN_IMAGES = 20  # that the form offers
_EDITS = frozenset({Permission.DEPLOY, Permission.TRAFFIC, Permission.OPERATE})


def known_images(ref: ServiceRef) -> list[str]:
    """Return the images that the service's revisions run or ran."""
    return list(dict.fromkeys(revision.image for revision in read.revisions(ref)))[:MAX_KNOWN_IMAGES]


class ImagePage(ChangeView[ImageForm]):
    """The image of a container."""

    page = "image"
    permission = Permission.DEPLOY

    def make_form(self) -> ImageForm:
        container = container_of(self.request, self.service)
        others = image_pinning.running_digests(self.service, read.revisions(self.ref))
        return ImageForm(container, self.typed, others)

    def context(self) -> dict[str, Any]:
        return {"known_images": known_images(self.ref)}


class SettingsPage(ChangeView[SettingsForm]):
    """Scale, concurrency, resources, ports, probes and the rest of what kn has flags for."""

    page = "settings"
    permission = Permission.DEPLOY

    def make_form(self) -> SettingsForm:
        container = container_of(self.request, self.service)
        chosen = image_pinning.choice(self.service, container, read.revisions(self.ref), self.typed)
        allowed = capabilities.of(self.ref.cluster)
        form = SettingsForm(self.service, container, self.typed, capabilities=allowed, digest=chosen)
        form.yaml_address = service_url("yaml", self.ref)
        return form

    def context(self) -> dict[str, Any]:
        return {"choices": choices_for(self.request, self.ref)}


class YamlPage(ChangeView[YamlForm]):
    """The whole manifest, its values masked. What an edit needs follows from what it changes."""

    page = "yaml"
    permission = Permission.VIEW

    def make_form(self) -> YamlForm:
        return YamlForm(self.service, self.typed)

    @property
    def may_edit(self) -> bool:
        return not _EDITS.isdisjoint(self.request.permissions)

    def context(self) -> dict[str, Any]:
        return {"may_edit": self.may_edit, "fields": yaml_fields.FIELDS.items()}

    def answer(self) -> HttpResponseBase:
        if wants_preview(self.request) and not self.may_edit:
            return refuse(self.request, Permission.DEPLOY, self.ref)
        return super().answer()


image, settings, yaml = ImagePage.as_page(), SettingsPage.as_page(), YamlPage.as_page()
