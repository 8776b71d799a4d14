"""The log, which only grows; where it begins now; and what is kept beside it: exports, saved filters, cursors.

Triggers refuse to change or delete entries, on SQLite and on PostgreSQL (console.audit.triggers).
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.knative.authors import ActorKind

CONSOLE_NAME = "sluice"  # of the console itself, which has no user and no address
OUTSIDE = "outside."  # begins the actions of changes that were made outside the console


class Entry(models.Model):
    """What somebody did. `hash` covers every other field and the hash of the entry before."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    actor_id = models.BigIntegerField(null=True)
    ip = models.CharField(max_length=64, blank=True)
    roles = models.CharField(max_length=300, blank=True)
    team = models.CharField(max_length=100, blank=True)  # the one whose grant allowed it
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
            models.Index(fields=["cluster", "namespace", "-sequence"], name="audit_by_place"),
            models.Index(fields=["cluster", "-sequence"], name="audit_by_cluster"),
            models.Index(fields=["namespace", "-sequence"], name="audit_by_namespace"),
            models.Index(fields=["service", "-sequence"], name="audit_by_name"),
            models.Index(fields=["actor", "-sequence"], name="audit_by_actor"),
            models.Index(fields=["team", "-sequence"], name="audit_by_team"),
            models.Index(fields=["action", "-sequence"], name="audit_by_action"),
            models.Index(fields=["outcome", "-sequence"], name="audit_by_outcome"),
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["operation"], name="audit_by_operation"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.actor} {self.action} {self.outcome}"

    @property
    def actor_kind(self) -> ActorKind:
        """Whose name `actor` is: a cluster's identity may be called as a person of the console is."""
        if self.action.startswith(OUTSIDE):
            return ActorKind.CLUSTER if self.actor else ActorKind.UNKNOWN
        by_console = (self.actor, self.actor_id, self.ip) == (CONSOLE_NAME, None, "")
        return ActorKind.CONSOLE if by_console else ActorKind.PERSON


class Place(models.Model):
    """A namespace of a cluster that some entry is about: few, so that patterns of grants become exact names."""

    cluster = models.CharField(max_length=100)
    namespace = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "namespace"], name="one_place")]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}"


class Action(models.Model):
    """An action that some entry has: few, so that a group of them becomes exact names too."""

    name = models.CharField(max_length=60, primary_key=True)

    def __str__(self) -> str:
        return self.name


class Retention(models.Model):
    """Entries up to `through` went to an archive; the chain continues from `hash`. Never changed or removed either."""

    through = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    archive_sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"entries to {self.through}, hash {self.hash}, archive SHA-256 {self.archive_sha256}"


class Total(models.Model):
    """A number that only grows, or a time: how often something happened since the installation began."""

    name = models.CharField(max_length=60)
    labels = models.CharField(max_length=120, blank=True)  # with commas between them
    value = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="one_total")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.value:g}"


class RetentionPolicy(models.Model):
    """For how many days entries and operations are kept at least; one row (console.audit.policy)."""

    entries_days = models.PositiveIntegerField(default=400)
    operations_days = models.PositiveIntegerField(default=180)

    def __str__(self) -> str:
        return f"entries {self.entries_days} days, operations {self.operations_days} days"


class LegalHold(models.Model):
    """What may not be removed until somebody lifts it: of a place, of a person, or (all empty) everything."""

    cluster = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=100, blank=True)
    person = models.CharField(max_length=150, blank=True)
    since = models.DateTimeField(null=True)  # what is from before is not covered; None: from the beginning
    reason = models.CharField(max_length=500)
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-placed_at"]

    def __str__(self) -> str:
        return self.person or "/".join(filter(None, (self.cluster, self.namespace, self.service))) or "everything"


class ReadWindow(models.Model):
    """Reads of one subject by one person in one hour after the first, which has its entry (console.audit.reads)."""

    key = models.CharField(max_length=64, unique=True)
    hour = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=200)
    actor_id = models.BigIntegerField(null=True)
    ip = models.CharField(max_length=64, blank=True)
    by = models.CharField(max_length=60, blank=True)  # the permissions that allowed it
    what = models.CharField(max_length=30)
    subject = models.CharField(max_length=200, blank=True)
    cluster = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=100, blank=True)
    count = models.PositiveIntegerField(default=0)
    first_again_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.actor} {self.what} {self.hour}: {self.count} more"


class Forwarded(models.Model):
    """How far the log has been sent to a destination, and until when somebody is at it."""

    destination = models.CharField(max_length=200, primary_key=True)
    sequence = models.BigIntegerField(default=0)
    held_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.destination} up to {self.sequence}"


class SavedFilter(models.Model):
    """A person's filter of the review page, by name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_filter_a_name")]

    def __str__(self) -> str:
        return self.name


class Export(models.Model):
    """Entries on their way into a file that is too large to wait for; only who asked may fetch it, for a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=5)  # csv or jsonl
    query = models.CharField(max_length=1000, blank=True)
    newest = models.BigIntegerField()  # it goes from here down to `oldest`; what is recorded later is not in it
    oldest = models.BigIntegerField()
    reached = models.BigIntegerField()  # what is above is written: a turn that comes twice finds another number
    written = models.BigIntegerField(default=0)  # entries
    parts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    scope = models.CharField(max_length=64, blank=True, default="")  # a digest of the rights that it was written with
    created_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.written} entries as {self.form}"

    @property
    def percent(self) -> int:
        """How much of the log has been gone through."""
        whole = self.newest - self.oldest + 1
        return 100 if whole <= 0 else int(100 * (self.newest - self.reached + 1) / whole)


class ExportPart(models.Model):
    """A compressed piece of an export's file. In the database: web and workers may not share a disk."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="one_part_a_number")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.export_id}"


class ServiceFacts(models.Model):
    """A part of what a service was, once for all moments and services that have the same (service_history)."""

    digest = models.CharField(max_length=64, primary_key=True)
    data = models.BinaryField()  # compressed JSON; values of variables are keyed digests

    def __str__(self) -> str:
        return self.digest


class ServiceMoment(models.Model):
    """From `at` on the service was this, until its next moment. Without `template` there was none."""

    cluster = models.CharField(max_length=100)
    namespace = models.CharField(max_length=100)
    service = models.CharField(max_length=100)
    at = models.DateTimeField()
    uid = models.CharField(max_length=64, blank=True)
    generation = models.BigIntegerField(null=True)
    revision = models.CharField(max_length=100, blank=True)  # made of the template, as far as it was known
    template = models.ForeignKey(ServiceFacts, null=True, on_delete=models.PROTECT, related_name="+")
    routing = models.ForeignKey(ServiceFacts, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["cluster", "namespace", "service", "at"], name="audit_moments"),
            models.Index(fields=["at"], name="audit_moments_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.service} at {self.at}"


class WatchGap(models.Model):
    """The console did not hear of the cluster: changes from `begins` to `ends` were seen as one."""

    cluster = models.CharField(max_length=100)
    begins = models.DateTimeField()
    ends = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["cluster", "ends"], name="audit_gaps")]

    def __str__(self) -> str:
        return f"{self.cluster} from {self.begins} to {self.ends}"


class WatchedCluster(models.Model):
    """How far the mirror of a cluster has been compared with what the log knows (operations.external.detection)."""

    cluster = models.CharField(max_length=100, primary_key=True)
    epoch = models.CharField(max_length=64, blank=True)
    version = models.BigIntegerField(default=0)
    trail = models.CharField(max_length=40, blank=True, default="")  # the last event of the watch that was read
    confirmed_at = models.DateTimeField(null=True)  # until then the mirror was true when it was last looked at

    def __str__(self) -> str:
        return self.cluster


class WatchedService(models.Model):
    """A service as the log last knew it: what the next change outside the console is compared with."""

    cluster = models.CharField(max_length=100)
    address = models.CharField(max_length=200)  # namespace/name
    uid = models.CharField(max_length=64)
    generation = models.BigIntegerField()
    resource_version = models.CharField(max_length=40, blank=True)
    object = models.BinaryField()  # compressed JSON without the status; values of variables are keyed digests
    missing_since = models.DateTimeField(null=True)
    # What the newest moment of its history holds; null: none was kept yet (console.audit.service_history).
    kept = models.CharField(max_length=400, null=True)  # noqa: DJ001 - a default would make SQLite rebuild the table

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "address"], name="one_watched_service")]
        indexes = [
            models.Index(
                fields=["cluster"], condition=models.Q(missing_since__isnull=False), name="audit_missing_services"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.address} at {self.generation}"
