"""One table that only grows. Triggers refuse to change or delete its rows, on SQLite and on PostgreSQL."""

from django.db import models


class Entry(models.Model):
    """What somebody did. `hash` covers every other field and the hash of the entry before."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    actor_id = models.BigIntegerField(null=True)
    ip = models.CharField(max_length=64, blank=True)
    roles = models.CharField(max_length=300, blank=True)
    cluster = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=60)
    outcome = models.CharField(max_length=20)
    changes = models.JSONField(default=list)
    text = models.TextField(blank=True)
    operation = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["cluster", "namespace", "service", "-sequence"], name="audit_by_service"),
            models.Index(fields=["actor", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["action", "-sequence"], name="audit_by_action"),
            models.Index(fields=["outcome", "-sequence"], name="audit_by_outcome"),
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["operation"], name="audit_by_operation"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.actor} {self.action} {self.outcome}"
