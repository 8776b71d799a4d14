from django.db import migrations

from console.audit import triggers
from console.triggers import migration


def name_places_and_actions(apps, _schema_editor):
    """Entries that were written before there were these tables have theirs too."""
    entries = apps.get_model("audit", "Entry").objects.order_by()
    actions = apps.get_model("audit", "Action").objects
    names = entries.values_list("action", flat=True).distinct()
    actions.bulk_create([actions.model(name=name) for name in names], ignore_conflicts=True)
    found = entries.exclude(cluster="")
    places = apps.get_model("audit", "Place").objects
    places.bulk_create(
        [places.model(cluster=c, namespace=n) for c, n in found.values_list("cluster", "namespace").distinct()],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_review")]
    operations = [
        migrations.RunPython(name_places_and_actions, migrations.RunPython.noop),
        migration(
            postgresql=triggers.POSTGRESQL,
            postgresql_drop=triggers.POSTGRESQL_DROP,
            sqlite=triggers.SQLITE,
            sqlite_drop=triggers.SQLITE_DROP,
        ),
    ]
