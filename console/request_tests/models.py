"""A test of a service: requests through the ingress, and how they were answered."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.operations.models import OnService


class AccessTest(OnService):
    """Requests sent to a service through the ingress, and how the answers were shared."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    url = models.CharField(max_length=300)
    wanted = models.JSONField(default=dict)  # percent by revision when the test began
    count = models.PositiveIntegerField()
    sent = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    by_revision = models.JSONField(default=dict)
    by_body = models.JSONField(default=dict)
    by_status = models.JSONField(null=True)  # HTTP status, 0 for no response; None in tests of versions without it
    slowest = models.FloatField(default=0)
    median = models.FloatField(default=0)
    p95 = models.FloatField(null=True)  # None in tests of versions that did not measure it
    error = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "operations"  # where its table was made
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "namespace", "name", "user"],
                condition=models.Q(finished_at=None),
                name="one_test_a_person_and_service",
            )
        ]

    def __str__(self) -> str:
        return f"{self.sent} of {self.count} requests to {self.ref}"
