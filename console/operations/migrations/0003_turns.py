import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from console.operations.models import triggers
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0002_terminal_is_final"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds the table to add columns, and its triggers go with the old one.
        migration(
            postgresql=triggers.POSTGRESQL_DROP,
            postgresql_drop=triggers.POSTGRESQL,
            sqlite=triggers.SQLITE_DROP,
            sqlite_drop=triggers.SQLITE,
        ),
        migrations.AddField(
            model_name="operation",
            name="clock_stamp",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="operation",
            name="elapsed",
            field=models.FloatField(default=0),
        ),
        migrations.AddField(
            model_name="operation",
            name="handed_over_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="operation",
            name="saved_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")),
                fields=("cluster", "namespace", "name"),
                name="one_writer_a_service",
            ),
        ),
        migration(
            postgresql=triggers.POSTGRESQL,
            postgresql_drop=triggers.POSTGRESQL_DROP,
            sqlite=triggers.SQLITE,
            sqlite_drop=triggers.SQLITE_DROP,
        ),
    ]
