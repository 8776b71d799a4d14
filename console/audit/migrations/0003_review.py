import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.audit import triggers
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds the table to add columns, and its triggers are lost with the old one; 0004 creates the new ones.
        migration(
            postgresql=triggers.FIRST_POSTGRESQL_DROP,
            postgresql_drop=triggers.FIRST_POSTGRESQL,
            sqlite=triggers.FIRST_SQLITE_DROP,
            sqlite_drop=triggers.FIRST_SQLITE,
        ),
        migrations.CreateModel(
            name="Action",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("form", models.CharField(max_length=5)),
                ("query", models.CharField(blank=True, max_length=1000)),
                ("newest", models.BigIntegerField()),
                ("oldest", models.BigIntegerField()),
                ("reached", models.BigIntegerField()),
                ("written", models.BigIntegerField(default=0)),
                ("parts", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Forwarded",
            fields=[
                ("destination", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField(default=0)),
                ("held_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cluster", models.CharField(max_length=100)),
                ("namespace", models.CharField(max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("through", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("archive_sha256", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(max_length=1000)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="WatchedCluster",
            fields=[
                ("cluster", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("epoch", models.CharField(blank=True, max_length=64)),
                ("version", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="WatchedService",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cluster", models.CharField(max_length=100)),
                ("address", models.CharField(max_length=200)),
                ("uid", models.CharField(max_length=64)),
                ("generation", models.BigIntegerField()),
                ("resource_version", models.CharField(blank=True, max_length=40)),
                ("object", models.BinaryField()),
                ("missing_since", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="entry",
            name="team",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["cluster", "namespace", "-sequence"], name="audit_by_place"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["cluster", "-sequence"], name="audit_by_cluster"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["namespace", "-sequence"], name="audit_by_namespace"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["service", "-sequence"], name="audit_by_name"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["team", "-sequence"], name="audit_by_team"),
        ),
        migrations.AddField(
            model_name="export",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="exportpart",
            name="export",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="pieces", to="audit.export"
            ),
        ),
        migrations.AddConstraint(
            model_name="place",
            constraint=models.UniqueConstraint(fields=("cluster", "namespace"), name="one_place"),
        ),
        migrations.AddField(
            model_name="savedfilter",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="watchedservice",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)), fields=["cluster"], name="audit_missing_services"
            ),
        ),
        migrations.AddConstraint(
            model_name="watchedservice",
            constraint=models.UniqueConstraint(fields=("cluster", "address"), name="one_watched_service"),
        ),
        migrations.AddConstraint(
            model_name="exportpart",
            constraint=models.UniqueConstraint(fields=("export", "number"), name="one_part_a_number"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(fields=("user", "name"), name="one_filter_a_name"),
        ),
    ]
