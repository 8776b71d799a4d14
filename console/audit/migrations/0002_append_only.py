from django.db import migrations

from console.audit import triggers


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_first")]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: triggers.create(schema_editor),
            lambda apps, schema_editor: triggers.drop(schema_editor),
        )
    ]
