from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_in_order")]

    operations = [migrations.AddField("export", "scope", models.CharField(blank=True, default="", max_length=64))]
