"""An operation, its timeline, the preview that it came from, and drafts of forms."""

import uuid
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.knative import causes, changes, effects
from console.knative.causes import Cause, Code
from console.knative.changes import Applied, Change, Verb
from console.knative.diff import FieldChange, diff
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.operations.models.statuses import ACTIVE, OPEN, Status
from console.sealing import can_unseal, unseal

SEALED = ("sealed_change", "sealed_seen", "sealed_after")  # what lists of operations need not load


class OnService(models.Model):
    """What belongs to one service of one cluster."""

    cluster = models.CharField(max_length=100)
    namespace = models.CharField(max_length=100)
    name = models.CharField(max_length=100)

    class Meta:
        abstract = True

    @property
    def ref(self) -> ServiceRef:
        return ServiceRef(self.cluster, self.namespace, self.name)


class Proposed(OnService):
    """A change of a service as somebody saw it."""

    sealed_change = models.BinaryField()
    sealed_seen = models.BinaryField()
    sealed_after = models.BinaryField(null=True)  # what the cluster's dry run made of it, where there was one

    class Meta:
        abstract = True

    @cached_property
    def is_readable(self) -> bool:
        """Whether a known key decrypts all that is sealed here; else `change` and `seen` raise InvalidToken."""
        return all(can_unseal(sealed) for sealed in self._sealed if sealed is not None)

    @property
    def _sealed(self) -> tuple[bytes | memoryview | None, ...]:
        return (self.sealed_change, self.sealed_seen, self.sealed_after)

    @cached_property
    def change(self) -> Change:
        return changes.load(unseal(self.sealed_change))

    @cached_property
    def seen(self) -> Service:
        """The service as the person saw it; empty for a new one."""
        return Service(unseal(self.sealed_seen))

    @cached_property
    def applied(self) -> Applied:
        """The change made of the service that the person saw."""
        return changes.apply_to(self.change, self.seen)

    @cached_property
    def taken_back(self) -> frozenset[FieldChange]:
        """The differences that the cluster's dry run showed to be none (console.knative.effects)."""
        if self.sealed_after is None or self.applied.refusal:
            return frozenset()
        answered = diff(self.seen.raw, unseal(self.sealed_after))
        return effects.taken_back(self.applied.difference, answered)


class Preview(Proposed):
    """A change as somebody saw it before pressing the button. Submitting uses it up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    resource_version = models.CharField(max_length=40, blank=True)
    changes = models.JSONField(default=list)  # masked FieldChange rows, for the audit log and for showing
    kn = models.TextField(blank=True)
    kn_limit = models.CharField(max_length=24, blank=True, default="")  # why kn cannot express the change (KnLimit)
    makes_revision = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"preview {self.id} of {self.ref}"


class Draft(models.Model):
    """The fields of a form that was sent or left, and not applied (console.operations.submitting.drafts)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=600)
    sealed_fields = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["user", "path", "-created_at"], name="drafts_by_form")]

    def __str__(self) -> str:
        return f"draft {self.id} of {self.path}"

    @property
    def is_readable(self) -> bool:
        """Whether the console has the key of what was typed."""
        return can_unseal(self.sealed_fields)

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """What was typed into the form."""
        found: dict[str, list[str]] = unseal(self.sealed_fields)["form"]
        return found

    @property
    def on_preview(self) -> dict[str, list[str]]:
        """What was typed beside the preview's button."""
        found: dict[str, list[str]] = unseal(self.sealed_fields).get("preview", {})
        return found


class Operation(Proposed):
    """A change on its way to a cluster, whichever worker runs it and however often workers die."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uid = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=40)
    # What the digest of an approval is salted with; null: made before there was a salt.
    sealed_salt = models.BinaryField(null=True)
    changes = models.JSONField(default=list)
    kn = models.TextField(blank=True)
    kn_limit = models.CharField(max_length=24, blank=True, default="")  # why kn cannot express the change (KnLimit)
    reason = models.CharField(max_length=500, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=200)
    ip = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="retries")
    batch = models.UUIDField(null=True, db_index=True)

    status = models.CharField(max_length=24, choices=Status, default=Status.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    makes_revision = models.BooleanField(default=False)
    base_version = models.CharField(max_length=40, blank=True)  # resourceVersion that the write was based on
    generation = models.BigIntegerField(null=True)  # intended before the write, made by it
    is_written = models.BooleanField(default=False)
    revision = models.CharField(max_length=100, blank=True)
    watch_from = models.CharField(max_length=40, blank=True)
    follow_state = models.JSONField(default=dict)
    phases = models.JSONField(default=dict)
    cause = models.JSONField(default=dict)  # why it ended as it did, as stored: `why` reads it

    deadline_seconds = models.FloatField(default=600)
    error_window_seconds = models.FloatField(default=2)
    submitted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)  # until when it may be approved (console.operations.protection)
    released_at = models.DateTimeField(null=True)  # when it was approved
    broke_glass = models.BooleanField(default=False)  # it passed by approval and freeze
    # The tools that will undo it, as its author acknowledged; null: nothing asked for it.
    acknowledged = models.JSONField(null=True)
    written_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)  # when a message for the next turn was sent, or may be taken
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)  # the fencing token: grows with each lease
    last_sequence = models.PositiveIntegerField(default=0)
    elapsed = models.FloatField(default=0)  # seconds from began_at to saved_at (console.operations.stopwatch)
    clock_stamp = models.CharField(max_length=80, blank=True)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-submitted_at"]
        indexes = [
            models.Index(fields=["cluster", "namespace", "name", "-submitted_at"], name="operations_by_service"),
            models.Index(fields=["status", "lease_until"], name="operations_to_sweep"),
            models.Index(fields=["-submitted_at"], name="operations_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "namespace", "name"],
                condition=models.Q(status=Status.RUNNING),
                name="one_writer_a_service",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.ref} ({self.status})"

    @property
    def _sealed(self) -> tuple[bytes | memoryview | None, ...]:
        return (*super()._sealed, self.sealed_salt)

    @property
    def verb(self) -> Verb:
        """What becomes of which object, known without decrypting the change."""
        return changes.verb_of(self.kind)

    @property
    def deletes_service(self) -> bool:
        return self.verb is Verb.DELETE

    @cached_property
    def wanted(self) -> Service | None:
        """The service that the person saw, with the change made, as far as that is known."""
        if self.sealed_after is not None:
            return Service(unseal(self.sealed_after))
        return None if self.applied.refusal else self.applied.after

    @property
    def why(self) -> Cause | None:
        """Why it ended as it did; None while it has not, and where there is nothing to say."""
        return causes.from_json(self.cause)

    @property
    def is_held_back(self) -> bool:
        """It gave its new revision no traffic, as its author asked. Known without decrypting the change."""
        return self.why is not None and self.why.code is Code.HELD_BACK

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_open(self) -> bool:
        """It has not ended: a worker may take it, or somebody may approve it."""
        return self.status in OPEN

    @property
    def seconds(self) -> float | None:
        """How long it took, without the wait for an approval; None while it is in progress."""
        return (self.finished_at - self.began_at).total_seconds() if self.finished_at else None

    @property
    def began_at(self) -> datetime:
        """When its clock began: the approval sets it to zero (console.operations.protection.approvals)."""
        return self.released_at or self.submitted_at


class TimelineLine(models.Model):
    """One line of an operation's timeline: kn's text, or a code that the page words."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="lines")
    sequence = models.PositiveIntegerField()
    elapsed = models.FloatField()  # seconds since the operation's began_at
    phase = models.CharField(max_length=20, blank=True)
    level = models.CharField(max_length=10, default="progress")  # header, progress, notice, closing
    text = models.TextField()
    facts: Any = models.JSONField(default=dict)

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["operation", "sequence"], name="one_line_a_sequence")]

    def __str__(self) -> str:
        return f"{self.elapsed:7.3f}s {self.text}"
