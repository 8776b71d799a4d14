from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0010_p95")]

    operations = [
        migrations.AddField(
            model,
            "service",
            models.CharField(
                blank=True, help_text="One name. Leave empty for all.", max_length=63, null=True, verbose_name="Service"
            ),
        )
        for model in ("freezewindow", "protectionrule")
    ]
