from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0013_owned")]

    operations = [
        migrations.AddField(
            "protectionrule",
            "approvers",
            models.CharField(
                blank=True,
                choices=[
                    ("rights", "Only people who cannot make such changes"),
                    ("acted", "Only people who changed no service there in the last 90 days"),
                ],
                max_length=6,
                null=True,
                verbose_name="Who may approve",
            ),
        ),
    ]
