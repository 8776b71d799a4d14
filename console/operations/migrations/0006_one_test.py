from typing import Any

from django.db import migrations, models
from django.db.models.functions import Now


def finish_all(apps: Any, _schema_editor: Any) -> None:
    """A worker of the version before may be sending some; what it still counts is written, the test has ended."""
    apps.get_model("operations", "AccessTest").objects.filter(finished_at=None).update(
        finished_at=Now(), error="cut-short"
    )


class Migration(migrations.Migration):
    dependencies = [("operations", "0005_salt")]

    operations = [
        migrations.RunPython(finish_all, migrations.RunPython.noop),
        migrations.AddConstraint(
            "accesstest",
            models.UniqueConstraint(
                fields=["cluster", "namespace", "name", "user"],
                condition=models.Q(finished_at=None),
                name="one_test_a_person_and_service",
            ),
        ),
    ]
