from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0011_service_of_a_rule")]

    operations = [migrations.AddField("accesstest", "by_status", models.JSONField(null=True))]
