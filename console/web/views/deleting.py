"""The end of a service or of one of its revisions."""

from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from console.access.permissions import Permission
from console.knative.changes import Change, DeleteRevision, DeleteService
from console.mirror import read
from console.web.typed import typed_field, wants_preview
from console.web.views.changes import ChangeView


@dataclass(frozen=True)
class NothingToFillIn:
    """The form of a change that the address says all of."""

    change: Change
    has_problems: bool = False

    def is_valid(self) -> bool:
        return True


class DeletePage(ChangeView[NothingToFillIn]):
    """The end of a service; the name must be typed."""

    page = "delete"
    permission = Permission.DELETE

    def make_form(self) -> NothingToFillIn:
        return NothingToFillIn(DeleteService())

    def context(self) -> dict[str, Any]:
        return {"revision_count": len(read.revisions(self.ref))}

    def answer(self) -> HttpResponseBase:
        if wants_preview(self.request) and typed_field(self.request, "confirm") != self.ref.name:
            return self.show(_("Type the service's name, %(name)s, to confirm.") % {"name": self.ref.name})
        return super().answer()


class DeleteRevisionPage(ChangeView[NothingToFillIn]):
    """The end of one revision that is neither routed nor the latest."""

    page = "delete_revision"
    permission = Permission.DELETE

    def make_form(self) -> NothingToFillIn:
        return NothingToFillIn(DeleteRevision(self.kwargs["revision"]))

    def context(self) -> dict[str, Any]:
        return {"revision_name": self.kwargs["revision"]}


delete, delete_revision = DeletePage.as_page(), DeleteRevisionPage.as_page()
