from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0009_dry_run")]

    operations = [migrations.AddField("accesstest", "p95", models.FloatField(null=True))]
