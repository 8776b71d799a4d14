from django.db import migrations

from console.audit import triggers
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_first")]
    operations = [
        migration(
            postgresql=triggers.FIRST_POSTGRESQL,
            postgresql_drop=triggers.FIRST_POSTGRESQL_DROP,
            sqlite=triggers.FIRST_SQLITE,
            sqlite_drop=triggers.FIRST_SQLITE_DROP,
        )
    ]
