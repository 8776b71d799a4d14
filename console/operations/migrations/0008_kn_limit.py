from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0007_drafts")]

    operations = [
        migrations.AddField(model, "kn_limit", models.CharField(blank=True, default="", max_length=24))
        for model in ("preview", "operation")
    ]
