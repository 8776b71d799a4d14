from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0006_saved_views")]
    operations = [migrations.AddField("User", "tour_closed_at", models.DateTimeField(null=True, blank=True))]
