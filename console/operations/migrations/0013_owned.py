from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0012_statuses_of_tests")]

    operations = [
        migrations.AddField(
            "protectionrule",
            "owned",
            models.CharField(
                blank=True,
                choices=[
                    ("warn", "Warn if a tool owns it"),
                    ("lock", "Refuse if a tool owns it"),
                ],
                max_length=4,
                null=True,
                verbose_name="What the rule does",
            ),
        ),
        migrations.AddField("operation", "acknowledged", models.JSONField(null=True)),
    ]
