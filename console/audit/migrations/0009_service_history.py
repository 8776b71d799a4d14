from django.db import migrations, models
from django.db.models import PROTECT

FACTS = "audit.servicefacts"


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_totals")]

    operations = [
        migrations.CreateModel(
            name="ServiceFacts",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("data", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="ServiceMoment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cluster", models.CharField(max_length=100)),
                ("namespace", models.CharField(max_length=100)),
                ("service", models.CharField(max_length=100)),
                ("at", models.DateTimeField()),
                ("uid", models.CharField(blank=True, max_length=64)),
                ("generation", models.BigIntegerField(null=True)),
                ("revision", models.CharField(blank=True, max_length=100)),
                ("routing", models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to=FACTS)),
                ("template", models.ForeignKey(null=True, on_delete=PROTECT, related_name="+", to=FACTS)),
            ],
            options={
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(fields=["cluster", "namespace", "service", "at"], name="audit_moments"),
                    models.Index(fields=["at"], name="audit_moments_by_time"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WatchGap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cluster", models.CharField(max_length=100)),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["cluster", "ends"], name="audit_gaps")]},
        ),
        migrations.AddField("watchedcluster", "confirmed_at", models.DateTimeField(null=True)),
        migrations.AddField("watchedservice", "kept", models.CharField(max_length=400, null=True)),
    ]
