"""Restart and scale: what operators do in a moment. Each shows its preview first."""

from functools import cached_property
from typing import Any

from django.utils import timezone

from console.access.permissions import Permission
from console.knative.changes import Change, Redeploy, Restart
from console.mirror import capabilities, read
from console.web.forms import image_pinning
from console.web.forms.scale import OperateForm
from console.web.typed import typed_field, wants_preview
from console.web.views.changes import ChangeView

RESTART, SCALE = "restart", "scale"


class OperatePage(ChangeView[OperateForm]):
    """Restart what runs, or change how much of it runs."""

    page = "operate"
    permission = Permission.OPERATE

    def make_form(self) -> OperateForm:
        data = self.typed if self.what == SCALE else None
        return OperateForm(self.service, data, capabilities.of(self.ref.cluster))

    @property
    def what(self) -> str:
        return typed_field(self.request, "what")

    @cached_property
    def chosen(self) -> image_pinning.DigestChoice | None:
        """Whether the running build stays; None for a service without a container."""
        container = self.service.user_container
        if container is None:
            return None
        return image_pinning.choice(self.service, container, read.revisions(self.ref), self.typed)

    def context(self) -> dict[str, Any]:
        return {"digest": self.chosen}

    @property
    def is_sent(self) -> bool:
        if self.chosen is None:
            return False
        return wants_preview(self.request) if self.what == RESTART else super().is_sent

    @property
    def change(self) -> Change | None:
        if self.chosen is None:
            return None
        if self.what == RESTART:
            at = timezone.now().isoformat()
            return Restart(at, dict(self.chosen.running)) if self.chosen.keep else Redeploy(at)
        return self.chosen.with_(self.form.change) if self.form.change else None


operate = OperatePage.as_page()
