"""The variables of a container: the form, and their values for those who may see them."""

import contextlib
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from console.access.actors import actor_from
from console.access.decorators import require_permission
from console.access.permissions import Permission
from console.access.refusals import NotRevealed
from console.knative.containers import is_sidecar
from console.knative.references import ServiceRef
from console.mirror import read
from console.operations.lookups import revealing
from console.web.actions import service_url
from console.web.form_choices import choices_for
from console.web.forms import image_pinning
from console.web.forms.env import EnvForm
from console.web.requests import ConsoleRequest
from console.web.views.changes import ChangeView, container_of


class EnvPage(ChangeView[EnvForm]):
    """A line for each variable, with fields for those that are edited; values hidden until they are revealed."""

    page = "env"
    permission = Permission.DEPLOY

    def make_form(self) -> EnvForm:
        container, data = container_of(self.request, self.service), self.typed
        data = data if data and "rows" in data else None
        chosen = image_pinning.choice(self.service, container, read.revisions(self.ref), data)
        return EnvForm(
            container,
            data,
            chosen,
            is_sidecar=is_sidecar(container, self.service.containers),
            edit=self.request.GET.get("edit", ""),
        )

    def context(self) -> dict[str, Any]:
        return {"choices": choices_for(self.request, self.ref)}

    def answer(self) -> HttpResponseBase:
        if not self.form.is_arranging:
            return super().answer()
        if "revealed" in self.request.POST and Permission.REVEAL in self.request.permissions:
            with contextlib.suppress(NotRevealed):  # it may have lost the label since: then without values
                self.reveal()
        return self.show()

    def reveal(self, variable: str = "") -> None:
        """Fill in the values as they are in the cluster; leaves an audit entry, or raises NotRevealed.

        `variable` is the key of the one that was asked for; without it they are all shown.
        """
        name = variable.partition(":")[2]
        values = revealing.reveal_env(self.ref, user=self.request.user, actor=actor_from(self.request), variable=name)
        self.form.reveal(values.get(self.form.container.name, {}), variable)


env = EnvPage.as_page()


@require_permission(Permission.REVEAL)
def reveal(request: ConsoleRequest, ref: ServiceRef) -> HttpResponse:
    """The values, read from the cluster now; leaves an audit entry.

    A page with JavaScript gets the values alone and puts them into its table; others get the same form with them.
    """
    if request.method != "POST":
        return redirect(service_url("env", ref))
    page = EnvPage()
    page.setup(request, ref=ref)
    page.begin()
    page.reveal(request.POST.get("variable", ""))
    return render(request, "changes/_env_values.html", {"form": page.form}) if request.htmx else page.show()
