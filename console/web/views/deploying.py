"""Edit and deploy: everything of a service that makes a revision, in one form, one preview and one operation."""

import contextlib
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.access.refusals import NotRevealed
from console.knative.containers import Container
from console.knative.references import ServiceRef
from console.mirror import capabilities, read
from console.operations.lookups import revealing
from console.web.actions import service_url
from console.web.form_choices import choices_for
from console.web.forms import image_pinning
from console.web.forms.deploy import DeployForm, Section
from console.web.requests import ConsoleRequest
from console.web.typed import fields_of, keep_for, wants_preview
from console.web.views.changes import ChangeView, container_of
from console.web.views.edits import known_images

OPEN = ("image", "env")  # the sections that are open unless the address names one
SPELLINGS = {"network": "networking"}


class DeployPage(ChangeView[DeployForm]):
    """Sections that open, about the container that is picked; what was typed for the others travels along."""

    page = "deploy"
    permission = Permission.DEPLOY

    def make_form(self) -> DeployForm:
        form = DeployForm(
            self.service,
            self.typed,
            container=self._container(),
            running=image_pinning.running_digests(self.service, read.revisions(self.ref)),
            capabilities=capabilities.of(self.ref.cluster),
            may_route=Permission.TRAFFIC in self.request.permissions,
            edit=self.request.GET.get("edit", ""),
        )
        for held in form.all.values():
            held.settings.yaml_address = service_url("yaml", self.ref)
        if form.typed.containers.keys() - {one.name for one in self.service.containers}:
            raise Http404  # gone since; another one is not meant
        return form

    def context(self) -> dict[str, Any]:
        return {
            "choices": choices_for(self.request, self.ref),
            "known_images": known_images(self.ref),
            "sections": [(one, self._is_open(one)) for one in self.form.sections()],
            "address": self._address(),
            "reveal_address": service_url("deploy-reveal", self.ref),
        }

    def answer(self) -> HttpResponseBase:
        if "further" in self.request.POST:
            return self._continue()
        if self.form.is_arranging:
            if "revealed" in self.request.POST and Permission.REVEAL in self.request.permissions:
                with contextlib.suppress(NotRevealed):  # it may have lost the label since: then without values
                    self.reveal()
            self.form.forget_problems()
            return self.show()
        if not wants_preview(self.request):
            self.form.forget_problems()
        return super().answer()

    def reveal(self) -> None:
        """Fill in the values as they are in the cluster; leaves an audit entry, or raises NotRevealed."""
        values = revealing.reveal_env(self.ref, user=self.request.user, actor=actor_from(self.request))
        self.form.env.reveal(values.get(self.form.container.name, {}))

    def _continue(self) -> HttpResponse:
        """Show what was typed into the form of a small edit: kept as a draft, so that the page can be loaded again."""
        fields = fields_of(self.request.POST)
        had_choice = not self.form.running.keys() <= {self.form.container.name}
        if fields["further"] == ["image"] and ("keep_others" in fields or not had_choice):  # its name for that choice
            fields["keep_digest"] = ["1"]
        response = redirect(keep_for(self.request, self.request.get_full_path(), fields))
        response.status_code = 303
        return response

    def _container(self) -> Container:
        """The one that was picked just now, else the one that the form or the address names."""
        sent, picked = container_of(self.request, self.service), self.request.POST.get("pick", "")
        return next((one for one in self.service.containers if one.name == picked), sent)

    def _address(self) -> str:
        """Where the form is sent to: the section that the address names stays open."""
        section = self.request.GET.get("section", "")
        return service_url("deploy", self.ref) + (f"?{urlencode({'section': section})}" if section else "")

    def _is_open(self, section: Section) -> bool:
        wanted = self.request.GET.get("section", "")
        named: Collection[str] = (SPELLINGS.get(wanted, wanted),) if wanted else OPEN
        if self.typed is not None and "open" in self.typed:
            named = self.typed.getlist("open")  # as the person left them
        return section.key in named or section.is_changed or section.has_problems


deploy = DeployPage.as_page()


@require_permission(Permission.REVEAL)
def reveal(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The same form with the values, read from the cluster now; leaves an audit entry."""
    if request.method != "POST" or Permission.DEPLOY not in request.permissions:
        return redirect(service_url("deploy", ref))
    page = DeployPage()
    page.setup(request, ref=ref)
    page.begin()
    page.reveal()
    page.form.forget_problems()
    return page.show()
