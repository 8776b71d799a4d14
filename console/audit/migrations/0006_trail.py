from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_export_scope")]

    operations = [
        migrations.AddField("watchedcluster", "trail", models.CharField(blank=True, default="", max_length=40))
    ]
