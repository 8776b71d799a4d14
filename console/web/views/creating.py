"""New services: from an image, or as a copy of an existing one."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.http.response import HttpResponseBase

from console.access.permissions import Permission
from console.knative.references import ServiceRef
from console.mirror import capabilities, read
from console.operations import ClusterError
from console.operations.submitting import cloning
from console.web import outcomes
from console.web.form_choices import FormChoices, choices_for
from console.web.forms.create import CloneForm, CreateForm
from console.web.requests import ConsoleRequest
from console.web.typed import typed_field
from console.web.unread import refuse_when_nothing_is_known, unread
from console.web.views.changes import ChangeView


class CreatePage(ChangeView[CreateForm]):
    """A new service in one of the namespaces in which the person may deploy."""

    page = "create"
    permission = Permission.DEPLOY

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        return _places(self.request)

    @cached_property
    def place(self) -> tuple[str, str] | None:
        """The place that the form names; before it was sent, the only one of those that the address leaves."""
        if self.typed is not None:
            named = typed_field(self.request, "place")
            return next((one for one in self.places if "/".join(one) == named), None)
        found = [one for one in self.places if _is_meant(one, self.request.GET)]
        return found[0] if len(found) == 1 else None

    def begin(self) -> None:
        self.form = self.make_form()

    def make_form(self) -> CreateForm:
        allowed = capabilities.of(self.place[0]) if self.place else None
        return CreateForm(self.places, self.typed, allowed, self.place)

    @property
    def around(self) -> dict[str, Any]:
        return {}

    @property
    def target(self) -> ServiceRef:
        return self.form.ref

    def context(self) -> dict[str, Any]:
        offered = choices_for(self.request, ServiceRef(*self.place, "")) if self.place else FormChoices()
        return {"choices": offered, "unread": unread(self.request.rights, "namespaces")}


class ClonePage(ChangeView[CloneForm]):
    """A copy under another name. It carries the values of variables along, so it needs the right to see them."""

    page = "clone"
    permission = Permission.REVEAL
    shows_values = False

    def make_form(self) -> CloneForm:
        initial = {"place": f"{self.ref.cluster}/{self.ref.namespace}", "name": f"{self.ref.name[:58]}-copy"}
        return CloneForm(_places(self.request), self.typed, initial=initial)

    @property
    def target(self) -> ServiceRef:
        return self.form.ref

    def context(self) -> dict[str, Any]:
        return {"left_behind": cloning.left_behind(self.service)}

    def answer(self) -> HttpResponseBase:
        if not self.is_sent:
            return self.show()
        form = self.form
        try:
            change = cloning.clone_of(self.ref, form.ref, user=self.request.user, image=form.cleaned_data["image"])
        except ClusterError as error:
            return self.show(" ".join(outcomes.answer_error(error)))
        return self.preview(change)


create, clone = CreatePage.as_page(), ClonePage.as_page()


def _is_meant(place: tuple[str, str], query: Mapping[str, str]) -> bool:
    """Whether an address with these parameters is about the place: it names it, or it is a filter that shows it."""
    if query.get("place"):
        return query["place"] == "/".join(place)
    cluster, namespace = place
    return query.get("cluster") in (None, "", cluster) and query.get("namespace") in (None, "", namespace)


def _places(request: ConsoleRequest) -> list[tuple[str, str]]:
    refuse_when_nothing_is_known(request.rights, "namespaces")
    return [
        (cluster, namespace)
        for cluster in read.clusters()
        for namespace in request.rights.namespaces(cluster, read.namespaces(cluster), Permission.DEPLOY)
        if not namespace.startswith(("kube-", "knative-"))
    ]
