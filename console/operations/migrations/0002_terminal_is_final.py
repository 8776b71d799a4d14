from django.db import migrations

from console.operations.models import triggers
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_first")]
    operations = [
        migration(
            postgresql=triggers.POSTGRESQL,
            postgresql_drop=triggers.POSTGRESQL_DROP,
            sqlite=triggers.SQLITE,
            sqlite_drop=triggers.SQLITE_DROP,
        )
    ]
