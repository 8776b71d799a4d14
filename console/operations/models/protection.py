"""Which services are protected, when they are frozen, and who approved what."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access.scopes import Scope, of_service, parse_selector, selector_text
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.operations.models.windows import Window


class Scoped(models.Model):
    """The services that the patterns, the name and the selector match, and the kinds of change that are meant."""

    cluster = models.CharField(_("Cluster"), max_length=100, default="*", help_text=_("A name, or a pattern with *."))
    namespace = models.CharField(
        _("Namespace"), max_length=100, default="*", help_text=_("A name, or a pattern with *.")
    )
    service = models.CharField(  # noqa: DJ001 - a default would make SQLite rebuild the table
        _("Service"), max_length=63, null=True, blank=True, help_text=_("One name. Leave empty for all.")
    )
    selector = models.CharField(
        _("Labels"),
        max_length=300,
        blank=True,
        help_text=_("Labels, for example app=shop,tier=front. Leave empty for all."),
    )
    permissions = models.JSONField(_("Applies to"), default=list)
    note = models.CharField(_("Note"), max_length=200, blank=True)

    class Meta:
        abstract = True
        ordering = ["cluster", "namespace", "id"]

    def covers(self, ref: ServiceRef, permissions: Collection[str], labels: Iterable[Mapping[str, str]]) -> bool:
        """Whether a change that needs these permissions is meant; one of the sets of labels has to match."""
        return not set(permissions).isdisjoint(self.permissions) and any(self.includes(ref, each) for each in labels)

    def includes(self, ref: ServiceRef, labels: Mapping[str, str]) -> bool:
        """Whether a service with these labels is meant."""
        return self.may_include(ref) and self.scope.covers(of_service(ref, labels))

    def may_include(self, ref: ServiceRef) -> bool:
        """Whether a service of this name is meant, given the right labels."""
        return self.service in (None, "", ref.name)

    @property
    def is_of_everything(self) -> bool:
        """Whether every service of every cluster is meant."""
        return set(self.cluster) == set(self.namespace) == {"*"} and not (self.service or self.selector)

    @property
    def scope(self) -> Scope:
        """What a person has to manage to decide on it: grants know no names of services."""
        return Scope(self.cluster, self.namespace, parse_selector(self.selector))

    @property
    def place(self) -> str:
        """The scope as people write it: `box/prod-*`, `box/prod-* [app=shop]`, `box/prod/shop`."""
        if not self.service:
            return str(self.scope)
        labels = f" [{selector_text(parse_selector(self.selector))}]" if self.selector else ""
        return f"{self.cluster}/{self.namespace}/{self.service}{labels}"

    def facts(self) -> dict[str, str]:
        """Return the fields as text, for the audit log."""
        found = {field.name: getattr(self, field.name) for field in self._meta.fields if field.name != "id"}
        return {
            name: ", ".join(value) if isinstance(value, list) else str(value)
            for name, value in found.items()
            if value not in ("", None)
        }


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """Return what differs between the `facts` of a rule or window before and after."""
    return tuple(
        FieldChange((name,), before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    )


class ProtectionRule(Scoped):
    """A change in this scope needs a second person's approval.

    With `owned` it asks for none: it is about the services that another tool owns, and warns of changes that the tool
    will undo, or refuses them.
    """

    class Owned(models.TextChoices):
        """What the rule does where another tool owns the service."""

        WARN = "warn", _("Warn if a tool owns it")
        LOCK = "lock", _("Refuse if a tool owns it")

    owned = models.CharField(  # noqa: DJ001 - a default would make SQLite rebuild the table
        _("What the rule does"), max_length=4, null=True, blank=True, choices=Owned.choices
    )

    class Approvers(models.TextChoices):
        """Whom the rule keeps from approving, beside the author of the change (operations.protection.separation)."""

        WITHOUT_RIGHTS = "rights", _("Only people who cannot make such changes")
        WITHOUT_CHANGES = "acted", _("Only people who changed no service there in the last 90 days")

    approvers = models.CharField(  # noqa: DJ001 - a default would make SQLite rebuild the table
        _("Who may approve"), max_length=6, null=True, blank=True, choices=Approvers.choices
    )
    needs_reason = models.BooleanField(_("Require a reason"), default=True)
    valid_hours = models.PositiveIntegerField(
        _("Request expires after (hours)"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 30)],
    )

    class Meta(Scoped.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"protected: {self.place}"


class FreezeWindow(Scoped):
    """No change in this scope from `begins` to `ends`, which are wall-clock times of the zone (2026-12-24T18:00).

    They are kept as people wrote them: when a country changes its clocks, Friday 16:00 stays Friday 16:00.
    """

    begins = models.CharField(_("Freeze starts"), max_length=16)
    ends = models.CharField(_("Freeze ends"), max_length=16)
    zone = models.CharField(_("Time zone"), max_length=64, default="UTC", help_text=_("For example Europe/Berlin."))
    is_weekly = models.BooleanField(_("Repeats weekly"), default=False)

    class Meta(Scoped.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"frozen: {self.place}"

    @property
    def window(self) -> Window:
        return Window(datetime.fromisoformat(self.begins), datetime.fromisoformat(self.ends), self.zone, self.is_weekly)


class Approval(models.Model):
    """That an operation needs a second person, and what that person decided. `digest` binds it to what was shown."""

    operation = models.OneToOneField("operations.Operation", on_delete=models.CASCADE, related_name="approval")
    digest = models.CharField(max_length=64)
    rules = models.JSONField(default=list)  # the scope and note of the rules that asked, as they were
    asked_at = models.DateTimeField(default=timezone.now)
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    comment = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"approval of {self.operation_id}"
