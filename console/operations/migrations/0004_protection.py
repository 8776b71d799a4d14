import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.operations.models import triggers
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0003_turns"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds the table to add columns; and there are more terminal states than before.
        migration(
            postgresql=triggers.POSTGRESQL_DROP,
            postgresql_drop=triggers.POSTGRESQL,
            sqlite=triggers.SQLITE_DROP,
            sqlite_drop=triggers.SQLITE,
        ),
        migrations.CreateModel(
            name="FreezeWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cluster",
                    models.CharField(
                        default="*", help_text="A name, or a pattern with *.", max_length=100, verbose_name="Cluster"
                    ),
                ),
                (
                    "namespace",
                    models.CharField(
                        default="*", help_text="A name, or a pattern with *.", max_length=100, verbose_name="Namespace"
                    ),
                ),
                (
                    "selector",
                    models.CharField(
                        blank=True,
                        help_text="Labels, for example app=shop,tier=front. Leave empty for all.",
                        max_length=300,
                        verbose_name="Labels",
                    ),
                ),
                ("permissions", models.JSONField(default=list, verbose_name="Applies to")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="Note")),
                ("begins", models.CharField(max_length=16, verbose_name="Freeze starts")),
                ("ends", models.CharField(max_length=16, verbose_name="Freeze ends")),
                (
                    "zone",
                    models.CharField(
                        default="UTC", help_text="For example Europe/Berlin.", max_length=64, verbose_name="Time zone"
                    ),
                ),
                ("is_weekly", models.BooleanField(default=False, verbose_name="Repeats weekly")),
            ],
            options={
                "ordering": ["cluster", "namespace", "id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ProtectionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cluster",
                    models.CharField(
                        default="*", help_text="A name, or a pattern with *.", max_length=100, verbose_name="Cluster"
                    ),
                ),
                (
                    "namespace",
                    models.CharField(
                        default="*", help_text="A name, or a pattern with *.", max_length=100, verbose_name="Namespace"
                    ),
                ),
                (
                    "selector",
                    models.CharField(
                        blank=True,
                        help_text="Labels, for example app=shop,tier=front. Leave empty for all.",
                        max_length=300,
                        verbose_name="Labels",
                    ),
                ),
                ("permissions", models.JSONField(default=list, verbose_name="Applies to")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="Note")),
                ("needs_reason", models.BooleanField(default=True, verbose_name="Require a reason")),
                (
                    "valid_hours",
                    models.PositiveIntegerField(
                        default=24,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(720),
                        ],
                        verbose_name="Request expires after (hours)",
                    ),
                ),
            ],
            options={
                "ordering": ["cluster", "namespace", "id"],
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="operation",
            name="broke_glass",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="operation",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="operation",
            name="released_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="operation",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting for approval"),
                    ("queued", "Queued"),
                    ("running", "Writing"),
                    ("following", "In progress"),
                    ("succeeded", "Succeeded"),
                    ("succeeded-not-serving", "Succeeded, serves no traffic"),
                    ("failed", "Failed"),
                    ("timed-out", "Timed out"),
                    ("superseded", "Superseded"),
                    ("cancelled", "Cancelled"),
                    ("conflicted", "Stopped by a conflict"),
                    ("refused", "Refused by the cluster"),
                    ("declined", "Not approved"),
                    ("expired", "Expired without approval"),
                    ("stopped", "Stopped by protection"),
                ],
                default="queued",
                max_length=24,
            ),
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("rules", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_by", models.CharField(blank=True, max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                ("comment", models.CharField(blank=True, max_length=500)),
                (
                    "approver",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "operation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="approval", to="operations.operation"
                    ),
                ),
            ],
        ),
        migration(
            postgresql=triggers.POSTGRESQL,
            postgresql_drop=triggers.POSTGRESQL_DROP,
            sqlite=triggers.SQLITE,
            sqlite_drop=triggers.SQLITE_DROP,
        ),
    ]
