from django.db import migrations, models

from console.operations.models import triggers
from console.operations.models.statuses import Status
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [("operations", "0008_kn_limit")]

    operations = [
        # There is one more terminal state than before, "unchanged", and the triggers name them all. On SQLite a table
        # that is made again, as by the migration before, has lost its triggers.
        migration(
            postgresql=triggers.POSTGRESQL_DROP,
            postgresql_drop=triggers.POSTGRESQL,
            sqlite=triggers.SQLITE_DROP,
            sqlite_drop=triggers.SQLITE,
        ),
        migrations.AddField("operation", "sealed_after", models.BinaryField(null=True)),
        migrations.AddField("preview", "sealed_after", models.BinaryField(null=True)),
        migrations.AlterField(
            "operation", "status", models.CharField(choices=Status.choices, default=Status.QUEUED, max_length=24)
        ),
        migration(
            postgresql=triggers.POSTGRESQL,
            postgresql_drop=triggers.POSTGRESQL_DROP,
            sqlite=triggers.SQLITE,
            sqlite_drop=triggers.SQLITE_DROP,
        ),
    ]
