from django.db import migrations

from console.audit import redaction_triggers as triggers
from console.triggers import migration


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_trail")]
    operations = [
        migration(
            postgresql=triggers.REDACTING_POSTGRESQL,
            postgresql_drop=triggers.REDACTING_POSTGRESQL_DROP,
            sqlite=triggers.REDACTING_SQLITE,
            sqlite_drop=triggers.REDACTING_SQLITE_DROP,
        )
    ]
