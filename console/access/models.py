"""People, teams, roles and what a team may do where."""

import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who signs in. A superuser administers this installation and has every right."""

    is_demo = models.BooleanField(
        default=False, help_text=_("Has a publicly known password. Cannot sign in outside demo mode.")
    )
    tour_closed_at = models.DateTimeField(null=True, blank=True)  # the demo's tour; null: it is still shown


class Role(models.Model):
    """A named set of permissions."""

    name = models.SlugField(unique=True)
    permissions = models.JSONField(default=list)
    # Who may change it beside administrators; null: built in, or from before this was kept.
    created_by = models.ForeignKey("access.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """People who work on the same services."""

    name = models.CharField(max_length=100, unique=True)
    oidc_group = models.CharField(
        max_length=200, blank=True, help_text=_("Members of this group are added at sign-in.")
    )
    members: Any = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a team, for a time or for good."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    is_owner = models.BooleanField(default=False)
    from_oidc = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Grant(models.Model):
    """A role for a team on the services that the patterns and the selector match."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="grants")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="grants")
    cluster = models.CharField(max_length=100, default="*", help_text=_("A name, or a pattern with *."))
    namespace = models.CharField(max_length=100, default="*", help_text=_("A name, or a pattern with *."))
    selector = models.CharField(
        max_length=300, blank=True, help_text=_("Labels, for example app=shop,tier=front. Leave empty for all.")
    )

    class Meta:
        ordering = ["team", "cluster", "namespace"]

    def __str__(self) -> str:
        return f"{self.team}: {self.role} on {self.cluster}/{self.namespace}"


class ApiToken(models.Model):
    """A person's key to the API: never more than the person may, within the scope that it was made with."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20)  # the first characters, by which people recognise it
    digest = models.CharField(max_length=64, unique=True)  # see console.access.tokens.digest
    permissions = models.JSONField(default=list)
    cluster = models.CharField(max_length=100, default="*")
    namespace = models.CharField(max_length=100, default="*")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        return "active" if self.expires_at > timezone.now() else "expired"


class SavedView(models.Model):
    """A person's filter, order and columns of the services list, by name."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_view_a_name")]

    def __str__(self) -> str:
        return self.name
