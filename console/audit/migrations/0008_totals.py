from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0007_redactions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Total",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("labels", models.CharField(blank=True, max_length=120)),
                ("value", models.FloatField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("name", "labels"), name="one_total")],
            },
        ),
    ]
